"""The audit chain of a tenant: what an entry keeps, how entries hang together, and reading them.

The digest of an entry is SHA-256 over the canonical JSON (canonical.py) of `["audit/v1", tenant, seq,
digest before, event]`: the digest before in hex, 64 zeros before the first entry, and the event as
subscribers see it (40-auth-sessions, "Audit"). Who has the last digest has all of the chain.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import asdict

import orjson

from symphainy_platform.canonical import canonical_bytes
from symphainy_platform.state.records import AuditEntry, PublishedEvent
from symphainy_platform.state.store import AuditHead, AuditRange, Store, load_one

ALGORITHM = "audit/v1"
"""Name of the digest above; it is in every digest, so that a change never matches old ones."""

PAGE = 250
"""Entries or events that are worked on at once: a few milliseconds."""

_BEGINNING = bytes(32)


def event_body(event: PublishedEvent) -> str:
    """The canonical JSON text of an event; a payload that has none (10-runtime) stands in it as JSON text."""
    fields = asdict(event)
    try:
        return canonical_bytes(fields).decode()
    except ValueError:
        text = orjson.dumps(fields.pop("payload"), option=orjson.OPT_SORT_KEYS).decode()
        return canonical_bytes({**fields, "payload_text": text}).decode()


def entry_after(previous: AuditEntry | None, event: PublishedEvent) -> AuditEntry:
    """The entry that keeps `event` right after `previous` (None: at the beginning)."""
    seq, body = (previous.seq + 1 if previous else 1), event_body(event)
    return AuditEntry(
        tenant_id=event.tenant_id,
        seq=seq,
        event_cursor=event.cursor,
        body=body,
        digest=_digest(event.tenant_id, seq, previous, body),
    )


def fault_of(previous: AuditEntry | None, entry: AuditEntry) -> str | None:
    """Say in a sentence why `entry` cannot follow `previous`; None when it does."""
    expected = previous.seq + 1 if previous else 1
    if entry.seq != expected:
        return f"entry {expected} is missing: what follows is entry {entry.seq}"
    if entry.digest != _digest(entry.tenant_id, entry.seq, previous, entry.body):
        return f"entry {entry.seq} was changed, or is not the one that followed: its digest does not fit"
    if _event(entry).get("cursor") != entry.event_cursor:
        return f"entry {entry.seq} does not keep the event that it names"
    return None


def event_type(entry: AuditEntry) -> str:
    """The type of the event that an entry keeps."""
    return str(_event(entry).get("type"))


async def chained_tenants(store: Store) -> AsyncIterator[str]:
    """Every tenant that has a chain, in the order of the store."""
    last = ""
    while names := await store.audit_tenants(last):
        for name in names:
            yield name
        last = names[-1]


async def last_seq(store: Store, tenant_id: str) -> int:
    """The seq of the last entry of a tenant's chain; 0 when there is none."""
    head = await load_one(store, AuditHead(tenant_id))
    return head.seq if head else 0


async def chain_of(store: Store, tenant_id: str, last: int) -> AsyncIterator[AuditEntry]:
    """The entries of a tenant up to seq `last`, in order; missing ones are left out."""
    entries = await load_one(store, AuditRange(tenant_id, 1, PAGE))
    while entries:
        for entry in entries:
            if entry.seq > last:
                return
            yield entry
        entries = await load_one(store, AuditRange(tenant_id, entries[-1].seq + 1, PAGE))


def _digest(tenant_id: str, seq: int, previous: AuditEntry | None, body: str) -> bytes:
    """Hash the body as it is: it is canonical already, and any other byte in it must show."""
    before = (previous.digest if previous else _BEGINNING).hex()
    opening = canonical_bytes([ALGORITHM, tenant_id, seq, before]).removesuffix(b"]")
    return hashlib.sha256(b"%b,%b]" % (opening, body.encode())).digest()


def _event(entry: AuditEntry) -> dict[str, object]:
    """The event of an entry; none when somebody wrote other things there than canonical JSON."""
    try:
        event = orjson.loads(entry.body)
        canonical = canonical_bytes(event) == entry.body.encode()
    except ValueError:
        return {}
    return event if canonical and isinstance(event, dict) else {}
