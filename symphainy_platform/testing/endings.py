"""How a check ends before its end."""

from __future__ import annotations


class NotApplicable(Exception):
    """The contract declares nothing that this check could attack; the message says what is not there."""


class Skipped(Exception):
    """The check could not be made; the message is the reason, and it shows in the report."""


class Broken(Exception):
    """The check cannot go on: what should have succeeded failed. The message becomes a problem."""
