"""When two texts are the same to people: in whatever case and composition of letters they were typed."""

from __future__ import annotations

import unicodedata


def composed(text: str) -> str:
    """The text with accented letters as one character each (Unicode NFC)."""
    return unicodedata.normalize("NFC", text)


def caseless(text: str) -> str:
    """What is the same in texts that differ in case and composition only (Unicode, section 3.13, D145)."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", text).casefold())
