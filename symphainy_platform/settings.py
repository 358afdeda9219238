"""Settings: arguments, `SYMPHAINY_*` variables, a `.env` file, defaults, in this order of rank.

Every setting is one field below; its description is its documentation (docs/settings.md is
generated from it). A name that is no setting and a value that is none stop the start.
"""

from __future__ import annotations

import difflib
import os
from ipaddress import ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from dotenv import dotenv_values
from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from symphainy_platform.errors import SettingsError
from symphainy_platform.setting_values import MASTER_KEY_BYTES, is_issuer, is_master_key, is_origin, masked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from pydantic_core import ErrorDetails

PREFIX = "SYMPHAINY_"
TEST_PREFIX = "SYMPHAINY_TEST_"
"""Names of the test suites; the platform never reads them."""

_ORIGINS = "<origins>"  # travels from the sources to the validator; no setting can be called so
_SOURCE_NAMES = {
    "InitSettingsSource": "argument",
    "EnvSettingsSource": "environment",
    "DotEnvSettingsSource": ".env",
}


class SettingInForce(NamedTuple):
    """One line of `symphainy doctor`: the value is masked where it may hold a secret."""

    name: str
    value: str
    source: str


class _Origins(PydanticBaseSettingsSource):
    """The last source: it adds no value but notes which source each value came from."""

    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        """Have no value for any field."""
        del field
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        """Return the name of the source of every value that was given."""
        origins: dict[str, str] = {}
        for source, values in reversed(self.settings_sources_data.items()):
            origins |= dict.fromkeys(values, _SOURCE_NAMES.get(source, source))
        return {_ORIGINS: origins}


class Settings(BaseSettings):
    """Everything that an operator may choose; frozen once it is made.

    Raises `SettingsError` for an unknown name (with the nearest valid one) and for a value
    out of range (with what was expected).
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=".env",
        env_file_encoding="utf-8",
        dotenv_filtering="only_existing",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        validate_by_name=True,
    )

    home: Path = Field(Path(".symphainy"), description="The data folder: signing keys, and the default store.")
    store: str = Field(
        default_factory=lambda values: f"sqlite:///{_url_path(_home(values).absolute())}/platform.db",
        min_length=1,
        description="The store: `sqlite:///PATH`, `postgresql://…`, `supabase`; without it `sqlite:///{HOME}/platform.db`.",
    )
    pooler: bool = Field(
        default=False,
        description="The store's URL leads to Postgres through a transaction pooler: nothing is set on a session.",
    )
    migration_url: SecretStr | None = Field(
        None, description="The direct URL of the same Postgres, for migrations, when the store's goes through a pooler."
    )
    supabase_url: str | None = Field(
        None,
        validation_alias="SUPABASE_URL",
        description="The project's address, for `SYMPHAINY_STORE=supabase`: https://PROJECT.supabase.co.",
    )
    supabase_secret_key: SecretStr | None = Field(
        None, validation_alias="SUPABASE_SECRET_KEY", description="A secret key of that project (`sb_secret_…`)."
    )
    host: str = Field("127.0.0.1", min_length=1, description="The address that `serve` listens on.")
    port: int = Field(8000, ge=0, le=65535, description="The port that `serve` listens on; 0 takes a free one.")
    workers: int = Field(1, ge=1, le=256, description="Processes that serve; more than one on a Postgres only.")
    dev: bool = Field(
        default=False, description="Development: prints a token and readable logs; refused on a public host."
    )
    trusted_proxy: str | None = Field(
        None, min_length=1, description="Address (or network) of the proxy whose `X-Forwarded-*` headers are believed."
    )
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Exact origins (comma separated) whose pages may call this platform; none by default."
    )
    metrics_public: bool = Field(
        default=False, description="Answer `/metrics` and `/health/*` to other machines than this one, too."
    )
    max_body_bytes: int = Field(
        5 * 1024 * 1024, ge=1024, le=1024**3, description="Largest accepted request body, in bytes."
    )
    max_event_streams: int = Field(1000, ge=1, description="How many event streams may be open at once.")
    max_event_streams_per_user: int = Field(50, ge=1, description="How many of them one user may have.")
    event_heartbeat_seconds: float = Field(
        15.0, gt=0, le=3600, description="Seconds of silence after which an event stream sends a heartbeat."
    )
    default_deadline_seconds: float = Field(
        30.0, gt=0, le=3600, description="Seconds that an intent may take when its contract names no deadline."
    )
    drain_seconds: float = Field(
        20.0, ge=0, le=3600, description="Seconds that a stopping server gives the intents that are under way."
    )
    chat_context_max_bytes: int = Field(
        4 * 1024 * 1024, ge=1024, le=1024**3, description="Largest update and largest shared context, in bytes."
    )
    chat_history_max_messages: int = Field(100_000, ge=1, description="How many messages one chat session may hold.")
    client_key_ttl_seconds: int = Field(
        24 * 3600, ge=1, description="Seconds that a caller's Idempotency-Key answers with the stored result."
    )
    execution_retention_days: float = Field(
        30.0, gt=0, le=36500, description="Days that finished executions are kept; those behind current versions stay."
    )
    outbox_retention_days: float = Field(
        7.0, gt=0, le=36500, description="Days that published events can be read again."
    )
    sweep_interval_seconds: float = Field(
        300.0, gt=0, le=86400, description="Seconds between two sweeps of what retention has given up."
    )
    master_key: SecretStr | None = Field(
        None, description="The key that seals the keys of this store (`symphainy keys generate` makes one)."
    )
    session_cookie: bool = Field(default=False, description="Keep the session's token in a cookie of the browser.")
    public_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Exact origins (comma separated) whose pages may send the cookie; else the request's own."
    )
    jwks: bool = Field(
        default=False, description="Publish the public keys; who verifies with them alone misses revocations."
    )
    password_memory_kib: int = Field(
        65536, ge=19456, le=4 * 1024**2, description="Memory that hashing one password takes (argon2id), in KiB."
    )
    authenticate_limit_per_account: int = Field(
        5, ge=1, description="Sign-ins a minute for one account from one address."
    )
    authenticate_limit_per_address: int = Field(100, ge=1, description="Sign-ins a minute from one address.")
    refresh_limit_per_session: int = Field(60, ge=1, description="Refreshes a minute of one session.")
    session_retention_days: float = Field(
        30.0,
        gt=0,
        le=36500,
        description="Days that sessions are kept once they have ended; it counts for those that end from now on.",
    )
    supabase_auth_url: str | None = Field(
        None, description="Issuer of the Supabase Auth tokens to accept, such as https://PROJECT.supabase.co/auth/v1."
    )
    issuer: str = Field("symphainy", min_length=1, description="The `iss` claim of tokens that are made and accepted.")
    audience: str = Field("symphainy", min_length=1, description="The `aud` claim of tokens made and accepted.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="The least level that is logged."
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="One JSON object a line, or readable lines; `auto` is readable in a terminal."
    )

    _origins: Mapping[str, str] = PrivateAttr(default_factory=dict)

    if not TYPE_CHECKING:  # type checkers see the fields as arguments

        def __init__(self, **given: Any) -> None:
            """Gather the settings; arguments beat the environment, which beats `.env`."""
            try:
                super().__init__(**given)
            except (UnicodeDecodeError, OSError) as error:
                msg = f".env cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
                raise SettingsError(msg) from error

    @classmethod
    def settings_customise_sources(  # noqa: D102 - the signature is pydantic's
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        del file_secret_settings
        return init_settings, env_settings, dotenv_settings, _Origins(settings_cls)

    @model_validator(mode="wrap")
    @classmethod
    def _explain(cls, values: Any, handler: ModelWrapValidatorHandler[Settings]) -> Settings:
        """Name what is wrong in the words of the operator, not of the library."""
        origins = values.pop(_ORIGINS, {}) if isinstance(values, dict) else {}
        _refuse_unknown(_variables(), map(variable_of, cls.model_fields))
        try:
            settings = handler(values)
        except ValidationError as error:
            raise SettingsError(_sentence(error.errors(include_input=True)[0], origins)) from None
        settings._origins = origins  # noqa: SLF001 - the validator belongs to the class
        return settings

    @field_validator("home", mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """Refuse the empty path, which would mean the working directory itself."""
        if value == "":
            msg = "the path of a folder"
            raise ValueError(msg)
        return value

    @field_validator("trusted_proxy")
    @classmethod
    def _an_address(cls, value: str | None) -> str | None:
        """Accept what addresses can be compared with; any other word would trust nobody, and `*` everybody."""
        try:
            ip_network(value or "::1")
        except ValueError:
            msg = "an address such as 10.0.0.7, or a network such as 10.0.0.0/24"
            raise ValueError(msg) from None
        return value

    @field_validator("master_key", mode="before")
    @classmethod
    def _a_whole_key(cls, value: Any) -> Any:
        """Refuse what is no key before it seals anything; the sentence never holds it."""
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is not None and not (isinstance(text, str) and is_master_key(text)):
            msg = f"base64url of {MASTER_KEY_BYTES} bytes (`symphainy keys generate` prints such a key)"
            raise ValueError(msg)
        return value

    @field_validator("supabase_auth_url")
    @classmethod
    def _an_issuer(cls, value: str | None) -> str | None:
        """Accept an address of which every byte counts: tokens name exactly this issuer."""
        if value is not None and not is_issuer(value):
            msg = "an https URL such as https://PROJECT.supabase.co/auth/v1 (no / at its end, no query)"
            raise ValueError(msg)
        return value

    @field_validator("cors_origins", "public_origins", mode="before")
    @classmethod
    def _split_origins(cls, value: Any) -> Any:
        """Read `a, b` as two origins."""
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("cors_origins", "public_origins")
    @classmethod
    def _exact_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """Accept `https://app.example.com` and nothing wider."""
        for origin in value:
            if not is_origin(origin):
                msg = "exact origins such as https://app.example.com (as browsers write them: no path, no *)"
                raise ValueError(msg)
        return value

    def describe(self) -> list[SettingInForce]:
        """Return every setting in force with its source, for `symphainy doctor`."""
        return [
            SettingInForce(name, masked(name, getattr(self, name)), self._origin(name))
            for name in type(self).model_fields
        ]

    def _origin(self, name: str) -> str:
        """The source that gave a value; sources call a setting by its variable when that has no prefix."""
        return self._origins.get(name) or self._origins.get(variable_of(name), "default")


def variable_of(name: str) -> str:
    """The variable of a setting; the project's URL and key are called as Supabase's own tools call them."""
    alias = Settings.model_fields[name].validation_alias
    return alias if isinstance(alias, str) else f"{PREFIX}{name.upper()}"


def _home(values: Mapping[str, Any]) -> Path:
    """Return the data folder; it is missing here when its own value is refused."""
    home: Path = values.get("home", Path())
    return home


def _url_path(folder: Path) -> str:
    """Write a path so that the URL of a store, which is unquoted, means it."""
    return str(folder).replace("%", "%25")


def _variables() -> Iterator[tuple[str, str]]:
    """Yield (place, name) of every variable that could be meant as a setting."""
    yield from (("the environment", name) for name in os.environ)
    if Path(".env").is_file():
        yield from ((".env", name) for name in dotenv_values(".env", encoding="utf-8"))


def _refuse_unknown(variables: Iterable[tuple[str, str]], settings: Iterable[str]) -> None:
    """Raise for a `SYMPHAINY_*` name that is no setting's."""
    known = set(settings)
    for place, name in variables:
        upper = name.upper()
        if upper.startswith(PREFIX) and not upper.startswith(TEST_PREFIX) and upper not in known:
            msg = f"{name} (in {place}) is no setting{_nearest(upper, known)}"
            raise SettingsError(msg)


def _nearest(name: str, known: Iterable[str]) -> str:
    """Return `; did you mean X?` when a known name is close, the common prefix aside."""
    by_rest = {full.removeprefix(PREFIX): full for full in sorted(known)}
    close = difflib.get_close_matches(name.removeprefix(PREFIX), by_rest, n=1, cutoff=0.5)
    return f"; did you mean {by_rest[close[0]]}?" if close else "; `symphainy doctor` lists the settings"


def _sentence(error: ErrorDetails, origins: Mapping[str, str]) -> str:
    """Turn the library's first finding into: which setting, from where, what is expected, what was given."""
    name = str(error["loc"][0]) if error["loc"] else "settings"
    if error["type"] == "extra_forbidden":
        return f"{name!r} (argument) is no setting{_nearest(name, Settings.model_fields)}"
    where = origins.get(name, "default")
    label = name if where == "argument" else f"{PREFIX}{name.upper()}"
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input should be ")
    expected = "a path" if error["type"] == "path_type" else said
    return f"{label} (from {where}) should be {expected}; given: {masked(name, error['input'])}"
