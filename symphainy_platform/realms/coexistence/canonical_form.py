"""Canonical JSON as the chat realm uses it: to compare values and to digest messages."""

from __future__ import annotations

import hashlib
from typing import Any

from symphainy_platform import IntentError, canonical_bytes


def canonical(value: Any) -> bytes:
    """The canonical form; two values are the same exactly when theirs are.

    What has none, such as an object with two keys that are one in Unicode NFC, cannot be
    merged: CONTEXT_MERGE_FAILED.
    """
    try:
        return canonical_bytes(value)
    except ValueError as error:
        raise IntentError("CONTEXT_MERGE_FAILED", details={"reason": str(error)}) from error


def fingerprint(value: Any) -> str:
    """SHA-256 of the canonical form, as hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
