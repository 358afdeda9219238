"""One tree of errors: every failure has a stable code, a kind and a word on retrying.

The kind decides the HTTP status; the code is what programs test; the docstring of a
class is its default message for people. Services raise `IntentError("THEIR_CODE")` and
the runtime completes it from the contract that declares the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, ClassVar


class Kind(StrEnum):
    """What went wrong, in the terms of HTTP (RFC 9110)."""

    MALFORMED = "malformed"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    CONFLICT = "conflict"
    GONE = "gone"
    PRECONDITION = "precondition"
    TOO_LARGE = "too_large"
    MEDIA_TYPE = "media_type"
    INVALID = "invalid"
    RATE_LIMITED = "rate_limited"
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"
    TIMEOUT = "timeout"

    @property
    def http_status(self) -> int:
        """The HTTP status of this kind."""
        return _HTTP_STATUS[self]


_HTTP_STATUS = {
    Kind.MALFORMED: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.CONFLICT: 409,
    Kind.GONE: 410,
    Kind.PRECONDITION: 412,
    Kind.TOO_LARGE: 413,
    Kind.MEDIA_TYPE: 415,
    Kind.INVALID: 422,
    Kind.RATE_LIMITED: 429,
    Kind.INTERNAL: 500,
    Kind.UNAVAILABLE: 503,
    Kind.TIMEOUT: 504,
}


class SymphainyError(Exception):
    """Root of everything this package raises on purpose."""


class StartError(SymphainyError):
    """The platform refuses to start: a sentence that names the place and the way to mend it."""


class ContractError(StartError):
    """A contract file is broken: file, line, field, and what was expected."""


class PluginError(StartError):
    """A plugin is broken, or two plugins claim the same name; both places are named."""


class SettingsError(StartError):
    """A setting is unknown or has no usable value."""


class StoreRefusedError(StartError):
    """The store cannot be used as it is: not a database, read-only, or newer than this code."""


class IntentError(SymphainyError):
    """The failure of one intent, as callers see it (envelope of seeds 000 and 003).

    `details` says which parameter, what was expected and how to mend it; it never holds a
    secret. `execution_id`, `intent_type` and `trace_id` are filled in by the runtime.
    """

    default_code: ClassVar[str] = ""
    default_kind: ClassVar[Kind | None] = None
    default_retryable: ClassVar[bool] = False
    default_legacy_code: ClassVar[str | None] = None

    def __init__(  # noqa: PLR0913 - the parts of the envelope, by keyword
        self,
        code: str | None = None,
        message: str | None = None,
        *,
        kind: Kind | str | None = None,
        retryable: bool | None = None,
        details: dict[str, Any] | None = None,
        events: Sequence[Mapping[str, Any]] = (),
    ) -> None:
        """Name the failure; what stays None is completed from the class or the contract.

        `events` are emitted with the failure, where the contract declares effects for its code.
        """
        self.code = code or self.default_code
        self.message = message
        self.declared_kind = Kind(kind) if kind is not None else self.default_kind
        self.declared_retryable = self.default_retryable if retryable is None else retryable
        self.details: dict[str, Any] = dict(details or {})
        self.events = tuple(events)
        self.legacy_code = self.default_legacy_code
        self.execution_id: str | None = None
        self.intent_type: str | None = None
        self.trace_id: str | None = None
        super().__init__(message or self.code)

    @property
    def kind(self) -> Kind:
        """What went wrong; `internal` until a contract says otherwise."""
        return self.declared_kind or Kind.INTERNAL

    @property
    def retryable(self) -> bool:
        """True when the same call may succeed later without any change."""
        return self.declared_retryable

    @property
    def http_status(self) -> int:
        """The HTTP status of the kind."""
        return self.kind.http_status

    def to_dict(self) -> dict[str, Any]:
        """The failure envelope of 10-runtime; `legacy_code` is there where older clients know one (seed 004)."""
        legacy = {"legacy_code": self.legacy_code} if self.legacy_code else {}
        return {
            "error": self.message or self.code,
            "error_code": self.code,
            "execution_id": self.execution_id,
            "intent_type": self.intent_type,
            "retryable": self.retryable,
            "details": self.details,
            "trace_id": self.trace_id,
            **legacy,
        }


class RuntimeIntentError(IntentError):
    """A failure that the runtime itself declares; its docstring is the default message."""

    def __init__(self, message: str | None = None, **details: Any) -> None:
        """Use the class's code, kind and docstring; keywords become the details."""
        super().__init__(message=message or (self.__doc__ or "").strip(), details=details)


class MalformedRequest(RuntimeIntentError):
    """The request is not strict JSON of the expected shape."""

    default_code = "MALFORMED_REQUEST"
    default_kind = Kind.MALFORMED


class InvalidIdempotencyKey(RuntimeIntentError):
    """An Idempotency-Key is one header of 1 to 255 visible ASCII characters."""

    default_code = "INVALID_IDEMPOTENCY_KEY"
    default_kind = Kind.MALFORMED


class Unauthenticated(RuntimeIntentError):
    """Send a valid bearer token in the Authorization header."""

    default_code = "UNAUTHENTICATED"
    default_kind = Kind.UNAUTHENTICATED


class SessionExpired(RuntimeIntentError):
    """The session has expired; refresh it, or sign in again."""

    default_code = "SESSION_EXPIRED"
    default_kind = Kind.UNAUTHENTICATED
    default_legacy_code = "E-SESSION-001"


class SessionTerminated(RuntimeIntentError):
    """The session has ended; sign in again."""

    default_code = "SESSION_TERMINATED"
    default_kind = Kind.UNAUTHENTICATED


class CsrfRejected(RuntimeIntentError):
    """The request does not come from a page that may use the session cookie."""

    default_code = "CSRF_REJECTED"
    default_kind = Kind.FORBIDDEN


class PermissionDenied(RuntimeIntentError):
    """This identity may not submit this intent."""

    default_code = "PERMISSION_DENIED"
    default_kind = Kind.FORBIDDEN


class UnknownIntent(RuntimeIntentError):
    """No contract is registered for this intent type."""

    default_code = "UNKNOWN_INTENT"
    default_kind = Kind.NOT_FOUND


class NotFound(RuntimeIntentError):
    """There is no such thing that this identity may see."""

    default_code = "NOT_FOUND"
    default_kind = Kind.NOT_FOUND


class VersionConflict(RuntimeIntentError):
    """Other writers of this artifact were faster each time; try again."""

    default_code = "VERSION_CONFLICT"
    default_kind = Kind.CONFLICT
    default_retryable = True


class StaleVersion(VersionConflict):
    """The artifact has changed since the version that the caller expected; read it and decide anew."""

    default_retryable = False


class CursorExpired(RuntimeIntentError):
    """Events after this cursor are no longer retained; start again from `0` or from now."""

    default_code = "CURSOR_EXPIRED"
    default_kind = Kind.GONE


class PayloadTooLarge(RuntimeIntentError):
    """The request body is larger than this platform accepts."""

    default_code = "PAYLOAD_TOO_LARGE"
    default_kind = Kind.TOO_LARGE


class UnsupportedMediaType(RuntimeIntentError):
    """Send `Content-Type: application/json`."""

    default_code = "UNSUPPORTED_MEDIA_TYPE"
    default_kind = Kind.MEDIA_TYPE


class MissingParameter(RuntimeIntentError):
    """A required parameter is missing."""

    default_code = "MISSING_PARAMETER"
    default_kind = Kind.INVALID


class UnknownParameter(RuntimeIntentError):
    """The contract of this intent has no such parameter."""

    default_code = "UNKNOWN_PARAMETER"
    default_kind = Kind.INVALID


class InvalidParameterType(RuntimeIntentError):
    """A parameter has the wrong JSON type."""

    default_code = "INVALID_PARAMETER_TYPE"
    default_kind = Kind.INVALID


class InvalidParameterValue(RuntimeIntentError):
    """A parameter is of the right type but outside what the contract allows."""

    default_code = "INVALID_PARAMETER_VALUE"
    default_kind = Kind.INVALID


class IdempotencyKeyReused(RuntimeIntentError):
    """This idempotency key was used before with other parameters; choose a new key."""

    default_code = "IDEMPOTENCY_KEY_REUSED"
    default_kind = Kind.INVALID


class RateLimited(RuntimeIntentError):
    """Too many requests; try again later."""

    default_code = "RATE_LIMITED"
    default_kind = Kind.RATE_LIMITED
    default_retryable = True


class HandlerError(RuntimeIntentError):
    """The intent service failed; nothing was written."""

    default_code = "HANDLER_ERROR"
    default_kind = Kind.INTERNAL


class ContractViolation(RuntimeIntentError):
    """The intent service broke its contract; nothing was written."""

    default_code = "CONTRACT_VIOLATION"
    default_kind = Kind.INTERNAL


class DatabaseUnavailable(RuntimeIntentError):
    """The store did not answer; try again shortly."""

    default_code = "DATABASE_UNAVAILABLE"
    default_kind = Kind.UNAVAILABLE
    default_retryable = True


class ShuttingDown(RuntimeIntentError):
    """The platform is stopping and takes no new intents; try again shortly."""

    default_code = "SHUTTING_DOWN"
    default_kind = Kind.UNAVAILABLE
    default_retryable = True


class ExecutionTimeout(RuntimeIntentError):
    """The intent service did not finish before its deadline; nothing was written."""

    default_code = "EXECUTION_TIMEOUT"
    default_kind = Kind.TIMEOUT
    default_retryable = True


RUNTIME_ERRORS: dict[str, type[RuntimeIntentError]] = {
    cls.default_code: cls for cls in RuntimeIntentError.__subclasses__()
}
"""Every code that the runtime itself may answer, beside the contract's own."""
