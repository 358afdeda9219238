"""What the values of some settings look like, and how they are shown."""

from __future__ import annotations

import base64
import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

MASTER_KEY_BYTES = 32
_MASK = "****"
_URLS = ("store", "migration_url", "supabase_url")
_SHOWN = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://"
    r"((?P<user>[^\s/?#@:\[\]]*)(?P<password>:[^\s/?#@:\[\]]*)?@)?"
    r"(?P<where>(\[[0-9a-f:.]+\]|[^\s/?#@:\[\],]*)(:[0-9]*)?(,(\[[0-9a-f:.]+\]|[^\s/?#@:\[\],]*)(:[0-9]*)?)*"
    r"(/[^\s?#@:\[\]]*)?)(\?[^\s#@]*)?"
)
"""URLs whose parts nobody can take for one another."""
_DOUBTFUL = re.compile(r"@|://|pass", re.IGNORECASE)
_ORIGIN = re.compile(r"(?P<scheme>https?)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(?P<port>(:[1-9][0-9]{0,4})?)")


def is_master_key(text: str) -> bool:
    """Whether this is base64url of 32 bytes, in its one spelling (with or without the padding)."""
    bare = text.removesuffix("=")
    try:
        key = base64.b64decode(f"{bare}=", altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(key) == MASTER_KEY_BYTES and base64.urlsafe_b64encode(key).decode() == f"{bare}="


def is_origin(text: str) -> bool:
    """Whether a browser may write this into an `Origin` header (RFC 6454): lower case, no path, no usual port."""
    found = _ORIGIN.fullmatch(text)
    return found is not None and f"{found['scheme']}{found['port']}" not in ("http:80", "https:443")


def is_issuer(url: str) -> bool:
    """Whether tokens of this issuer can be fetched keys for: https, or this machine for tests."""
    try:
        parts = urlsplit(url)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return False
    plain = not (parts.query or parts.fragment or "@" in parts.netloc or url.endswith(("/", "?", "#")))
    secure = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    return plain and secure and bool(parts.hostname) and url.isascii() and url.isprintable() and " " not in url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def is_project_url(url: str) -> bool:
    """Whether this is the address of an API: http or https, a host, perhaps a port and a path, nothing else."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    return known and is_header_text(url) and "@" not in url


def is_header_text(text: str) -> bool:
    """Whether a key can be sent as it is: ASCII, without blanks and line ends."""
    return text.isascii() and text.isprintable() and " " not in text


def masked(name: str, value: Any) -> str:
    """Return the value of a setting as text, without a secret and without the password that a URL may carry."""
    if name in ("master_key", "supabase_secret_key") and value is not None:
        return _MASK
    if isinstance(value, tuple):
        return ", ".join(masked(name, each) for each in value)
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return without_password(text) if name in _URLS or ("@" in text and "://" in text) else text


def without_password(url: str) -> str:
    """Return a URL as it may be shown: no password, and no options beside a user.

    A password that holds `/`, `#`, `?`, `@` or another character that belongs percent-encoded makes the parts of a
    URL ambiguous: such a URL is masked whole.
    """
    if url.startswith("sqlite:///"):
        return url
    found = _SHOWN.fullmatch(url)
    if found is None:
        return _MASK if _DOUBTFUL.search(url) else url
    if found["user"] is None:
        return _MASK if "pass" in url.lower() else url
    return f"{found['scheme']}://{found['user']}{':' + _MASK if found['password'] else ''}@{found['where']}"
