"""Opaque cursors: base64url text that only the store that gave it can read back.

Cursors of events carry the epoch of their event; those of listings are bound to 16 random bytes that
the file was born with.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import replace

import orjson

from symphainy_platform.errors import InvalidParameterValue
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.sqlite.epochs import EPOCH_BYTES
from symphainy_platform.state.sqlite.rows import Row
from symphainy_platform.state.store import ArtifactListing

_ID_BYTES = 8
_TAG_BYTES = 12
_BEFORE_EVERYTHING = "0"
_NEWEST = ("~", "")
"""After every (created_at, artifact_id): where a listing starts."""


def event_cursor(epoch: bytes, event_id: int) -> str:
    """Write the cursor that resumes right after an event."""
    return encode(epoch + event_id.to_bytes(_ID_BYTES, "big"))


def event_place(cursor: str) -> tuple[bytes, int] | None:
    """Read the epoch and the id of the event that a cursor resumes after; None: before all events.

    Raises InvalidParameterValue for what is no cursor.
    """
    if cursor == _BEFORE_EVERYTHING:
        return None
    value = decode(cursor)
    if value is None or len(value) != EPOCH_BYTES + _ID_BYTES:
        raise InvalidParameterValue(parameter="after", expected="a cursor from this event stream, or 0")
    return value[:EPOCH_BYTES], int.from_bytes(value[EPOCH_BYTES:], "big")


def listing_cursor(epoch: bytes, listing: ArtifactListing, last: Artifact) -> str:
    """Write the cursor that continues a listing after its artifact `last`."""
    place = orjson.dumps([last.created_at, last.artifact_id])
    return encode(_tag(epoch, listing, place) + place)


def listing_place(epoch: bytes, listing: ArtifactListing) -> Row:
    """Read the (created_at, artifact_id) below which a page starts.

    Raises InvalidParameterValue for a cursor that this very listing did not give.
    """
    if listing.cursor is None:
        return _NEWEST
    value = decode(listing.cursor) or b""
    tag, place = value[:_TAG_BYTES], value[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(epoch, listing, place)):
        raise InvalidParameterValue(parameter="cursor", expected="the cursor of this listing's page before")
    created_at, artifact_id = orjson.loads(place)
    return (created_at, artifact_id)


def _tag(epoch: bytes, listing: ArtifactListing, place: bytes) -> bytes:
    """Authenticate a place together with the listing's filters; pages may differ in their size."""
    filters = orjson.dumps(replace(listing, cursor=None, limit=0))
    return hashlib.blake2b(place, digest_size=_TAG_BYTES, key=hashlib.sha256(epoch + filters).digest()).digest()


def encode(value: bytes) -> str:
    """Write canonical, unpadded base64url."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes | None:
    """Read canonical, unpadded base64url; None for anything else."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if encode(value) == text else None
