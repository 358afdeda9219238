"""What the values of some settings look like, and how they are shown."""

from __future__ import annotations

import base64
import re
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from pydantic import SecretStr

MASTER_KEY_BYTES = 32
_MASK = "****"
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


def masked(name: str, value: Any) -> str:
    """Return the value of a setting as text, without a secret and without the password that a store URL may carry."""
    if name in ("master_key", "supabase_secret_key") and value is not None:
        return _MASK
    if name == "migration_url" and value is not None:
        return _without_password(value.get_secret_value() if isinstance(value, SecretStr) else str(value))
    if isinstance(value, tuple):
        return ", ".join(value)
    return _without_password(str(value)) if name == "store" else str(value)


def _without_password(url: str) -> str:
    """Replace the user info of a URL that has a password; a URL beyond parsing is masked whole."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _MASK
    user, at, address = parts.netloc.rpartition("@")
    if not at:
        return _MASK if "password" in url.lower() else url
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:{_MASK}@{address}", query=""))
