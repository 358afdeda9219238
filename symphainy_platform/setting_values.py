"""What the values of some settings look like."""

from __future__ import annotations

import base64
from ipaddress import ip_address
from urllib.parse import urlsplit

MASTER_KEY_BYTES = 32


def is_master_key(text: str) -> bool:
    """Whether this is base64url of 32 bytes, in its one spelling (with or without the padding)."""
    bare = text.removesuffix("=")
    try:
        key = base64.b64decode(f"{bare}=", altchars=b"-_", validate=True)
    except ValueError:
        return False
    return len(key) == MASTER_KEY_BYTES and base64.urlsafe_b64encode(key).decode() == f"{bare}="


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
