"""Who asks, when, and in which execution: the values that travel along the way of an intent."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, runtime_checkable

if TYPE_CHECKING:
    import structlog

    from symphainy_platform.identity.keyring import KeyRing
    from symphainy_platform.state.surface import StateSurface

P = ParamSpec("P")
T = TypeVar("T")


@runtime_checkable
class Clock(Protocol):
    """The only source of time."""

    def now(self) -> datetime:
        """Return the current time, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The clock of the machine (freezegun may freeze it)."""

    def now(self) -> datetime:
        """Return the current time in UTC."""
        return datetime.now(UTC)


def isoformat(moment: datetime) -> str:
    """Write a UTC time as ISO-8601 with microseconds and `Z`; equal lengths sort by time."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return f"{moment.isoformat(timespec='microseconds')[:26]}Z"


def moment(value: float | str) -> datetime:
    """Return the UTC time of seconds since 1970, or of an ISO-8601 text with its offset."""
    return datetime.fromisoformat(value) if isinstance(value, str) else datetime.fromtimestamp(value, UTC)


class Randomness:
    """Bytes of the system's CSPRNG, asked for in blocks: one system call costs as much as an intent's key.

    No block survives a fork, so that two processes never hand out the same bytes.
    """

    def __init__(self, block: int = 4096) -> None:
        """Ask the system for `block` bytes at a time."""
        self._block = block
        self._bytes, self._used = b"", 0
        os.register_at_fork(after_in_child=self._forget)

    def take(self, count: int) -> bytes:
        """Return `count` bytes (at most a block) that were never handed out before."""
        if self._used + count > len(self._bytes):
            self._bytes, self._used = os.urandom(self._block), 0
        taken = self._bytes[self._used : self._used + count]
        self._used += count
        return taken

    def _forget(self) -> None:
        self._bytes, self._used = b"", 0


@runtime_checkable
class IdSource(Protocol):
    """The only source of identifiers."""

    def new(self) -> str:
        """Return a new UUID, canonical lower case, in time order (RFC 9562, version 7)."""
        ...

    def at(self, moment: datetime) -> str:
        """Return a new UUID for this moment."""
        ...

    def trace(self) -> str:
        """Return a new trace id: 32 hexadecimal digits (W3C Trace Context)."""
        ...


class TimeOrderedIds:
    """UUIDs of version 7 whose time is the injected clock's."""

    def __init__(self, clock: Clock) -> None:
        """Take the time from `clock`."""
        self._clock = clock
        self._random = Randomness()

    def new(self) -> str:
        """Return a new UUID of version 7."""
        return self.at(self._clock.now())

    def at(self, moment: datetime) -> str:
        """Return a new UUID of version 7 for a time that is known already."""
        millis = int(moment.timestamp() * 1000)
        noise = int.from_bytes(self._random.take(10), "big")
        value = (millis & (1 << 48) - 1) << 80 | 0x7 << 76 | (noise >> 68) << 64
        value |= 0b10 << 62 | noise & (1 << 62) - 1
        text = f"{value:032x}"
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    def trace(self) -> str:
        """Return a new trace id."""
        return self._random.take(16).hex()


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as the edge saw it: None in this process, or when the caller did not say."""

    address: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """A proven caller. Tenant and user of an execution come from here and nowhere else.

    One that is `external` was proven by somebody else's token, or by a token that only introduces
    a user: it may open a session, and submits nothing beside that.
    """

    tenant_id: str
    user_id: str
    roles: frozenset[str] = frozenset()
    session_ref: str | None = None
    external: bool = False

    def __post_init__(self) -> None:
        """Refuse an identity without tenant or user; accept any iterable of roles, but not one text."""
        if not all(isinstance(name, str) and name for name in (self.tenant_id, self.user_id)):
            msg = "an Identity needs a tenant_id and a user_id: two texts"
            raise ValueError(msg)
        roles: object = self.roles
        if isinstance(roles, str):  # its letters would be the roles
            msg = f"the roles of an Identity are a set of texts, not the text {roles!r}"
            raise ValueError(msg)  # noqa: TRY004 - a ValueError like the other
        object.__setattr__(self, "roles", frozenset(self.roles))

    @property
    def is_service(self) -> bool:
        """True for role `service`, which sees the whole tenant."""
        return "service" in self.roles


@dataclass(frozen=True, slots=True, kw_only=True)
class ExecutionContext:
    """Everything a service may know about its execution, and its only way to state and time."""

    execution_id: str
    intent_type: str
    contract_version: str
    tenant_id: str
    user_id: str
    roles: frozenset[str]
    session_ref: str | None
    solution_id: str | None
    metadata: Mapping[str, Any]
    trace_id: str
    deadline: datetime
    state_surface: StateSurface
    log: structlog.stdlib.BoundLogger = field(repr=False)
    started_at: datetime
    ids: IdSource = field(repr=False)
    keys: KeyRing = field(repr=False)
    client: Client
    facts: Mapping[str, Any]
    """What the contract's `proof` has found out, by name; empty without a proof."""

    def now(self) -> datetime:
        """Return the UTC time of this execution: one instant, the same at every call."""
        return self.started_at

    def new_id(self) -> str:
        """Return a new UUID (canonical lower case) from the injected source."""
        return self.ids.new()

    async def run_blocking(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run CPU-heavy, pure work off the event loop."""
        return await asyncio.to_thread(work, *args, **kwargs)
