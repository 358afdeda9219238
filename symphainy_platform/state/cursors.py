"""Opaque cursors: base64url text that only the store that gave it can read back.

Those of listings are bound to random bytes that the store keeps; those of events are each store's own.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import replace

import orjson

from symphainy_platform.errors import CursorExpired, IntentError, InvalidParameterValue
from symphainy_platform.state.artifact import Artifact
from symphainy_platform.state.rows import Row
from symphainy_platform.state.store import ArtifactListing

_TAG_BYTES = 12
_EPOCH_BYTES = 8
_NUMBER_BYTES = 8
_OF_EVENTS = {_EPOCH_BYTES + numbers * _NUMBER_BYTES for numbers in (1, 2)}
"""Bytes in the event cursors of all sorts of stores: an epoch, and one number or two."""


def listing_cursor(key: bytes, listing: ArtifactListing, last: Artifact) -> str:
    """Write the cursor that continues a listing after its artifact `last`."""
    place = orjson.dumps([last.created_at, last.artifact_id])
    return encode(_tag(key, listing, place) + place)


def listing_place(key: bytes, listing: ArtifactListing) -> Row:
    """Read the (created_at, artifact_id) below which a page starts.

    Raises InvalidParameterValue for a cursor that this very listing did not give.
    """
    value = decode(listing.cursor or "") or b""
    tag, place = value[:_TAG_BYTES], value[_TAG_BYTES:]
    if not hmac.compare_digest(tag, _tag(key, listing, place)):
        raise InvalidParameterValue(parameter="cursor", expected="the cursor of this listing's page before")
    created_at, artifact_id = orjson.loads(place)
    return (created_at, artifact_id)


def not_our_cursor(cursor: str) -> IntentError:
    """The error over an event cursor that is none of this store's.

    Another sort of store may have written it, before its rows were copied here: then its reader was not wrong, and
    is told that it has expired.
    """
    if len(decode(cursor) or b"") in _OF_EVENTS:
        return CursorExpired()
    return InvalidParameterValue(parameter="after", expected="a cursor from this event stream, or 0")


def _tag(key: bytes, listing: ArtifactListing, place: bytes) -> bytes:
    """Authenticate a place together with the listing's filters; pages may differ in their size."""
    filters = orjson.dumps(replace(listing, cursor=None, limit=0))
    return hashlib.blake2b(place, digest_size=_TAG_BYTES, key=hashlib.sha256(key + filters).digest()).digest()


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
