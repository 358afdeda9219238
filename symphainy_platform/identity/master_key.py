"""The master key: it seals the platform's keys in the store, and is never in the store itself."""

from __future__ import annotations

import base64
import secrets
from typing import TYPE_CHECKING

from symphainy_platform.errors import SettingsError, StartError
from symphainy_platform.identity.owner_files import made_once
from symphainy_platform.identity.sealing import KEY_BYTES, SealingKey
from symphainy_platform.setting_values import is_master_key

if TYPE_CHECKING:
    from pathlib import Path

    from symphainy_platform.settings import Settings

SETTING = "SYMPHAINY_MASTER_KEY"


def new_master_key() -> str:
    """Return a fresh master key, as the setting takes it."""
    return base64.urlsafe_b64encode(secrets.token_bytes(KEY_BYTES)).rstrip(b"=").decode()


def master_key_file(home: Path) -> Path:
    """Where the master key of a data folder is, when the settings hold none."""
    return home / "keys" / "master.key"


def master_key(settings: Settings, *, in_data_folder: bool, may_make: bool) -> SealingKey:
    """Return the master key of the settings, else of the data folder where that is allowed.

    `may_make` False: keys are sealed already, so that a new master key would be the wrong one.
    Raises `SettingsError` when there is none, `StartError` when its file cannot be used.
    """
    if settings.master_key is not None:
        return _decoded(settings.master_key.get_secret_value())
    if not in_data_folder:
        msg = f"this store is shared: set {SETTING} (`symphainy keys generate` makes one), the same for every process"
        raise SettingsError(msg)
    return _of_data_folder(master_key_file(settings.home), may_make=may_make)


def refuse_serving_without_master_key(settings: Settings) -> None:
    """Raise `SettingsError` when a server would have to trust a master key that lies beside its store."""
    if settings.master_key is None and not settings.dev:
        msg = (
            f"serving needs {SETTING}, the key that seals all others: `symphainy keys generate` makes one"
            f" (with --dev one is kept in the data folder)"
        )
        raise SettingsError(msg)


def _of_data_folder(path: Path, *, may_make: bool) -> SealingKey:
    if not (may_make or path.exists()):
        msg = f"the keys of this store are sealed by a master key that is missing: set {SETTING}, or restore {path}"
        raise SettingsError(msg)
    text = made_once(path, lambda: new_master_key().encode(), called="master key").decode(errors="replace").strip()
    if not is_master_key(text):
        msg = f"{path} holds no master key: restore it, or set {SETTING}"
        raise StartError(msg)
    return _decoded(text)


def _decoded(text: str) -> SealingKey:
    return SealingKey.of(base64.urlsafe_b64decode(text.removesuffix("=") + "="))
