"""What `--contracts=FOLDER|FILE|REALM` means: which contracts, and which realm must be loaded for them."""

from __future__ import annotations

from pathlib import Path

from symphainy_platform.hookspecs import Realm, hookimpl
from symphainy_platform.plugins import load_plugins
from symphainy_platform.testing.compliance import Candidate, Select


class FolderRealm:
    """A realm that is only a folder of contracts; its handlers must be importable."""

    def __init__(self, folder: Path) -> None:
        """Bring the contracts of `folder`."""
        self.folder = folder

    @hookimpl
    def symphainy_realms(self) -> list[Realm]:
        """One realm, named after the folder."""
        return [Realm(self.folder.name, self.folder)]


def select(wanted: str) -> tuple[Select, list[object]]:
    """How to choose, and the plugins to add: everything for "", else those of a folder, a file or a realm.

    A folder that no installed realm brings becomes a realm of its own.
    """
    if not wanted:
        return (lambda _: True), []
    place = Path(wanted).resolve()
    if not place.exists():
        return (lambda found: found.realm == wanted), []
    folder = place if place.is_dir() else place.parent
    plugins: list[object] = [] if _is_brought(folder) else [FolderRealm(folder)]
    return (lambda found: _is_within(found, place)), plugins


def _is_brought(folder: Path) -> bool:
    """Whether an installed realm loads this folder already."""
    brought = [realm.contracts for realms in load_plugins().hook.symphainy_realms() for realm in realms]
    return any(folder.is_relative_to(Path(str(contracts)).resolve()) for contracts in brought)


def _is_within(found: Candidate, place: Path) -> bool:
    return Path(found.file).resolve().is_relative_to(place)
