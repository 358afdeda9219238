"""A realm for these tests alone: notes, services and proofs that a test may script, and two kinds of tokens."""

from pathlib import Path

from notebook_realm.proving import NotePass, WordsOfACaller
from symphainy_platform import Realm, hookimpl


@hookimpl
def symphainy_realms():
    return [Realm("notebook", Path(__file__).parent / "contracts")]


@hookimpl
def symphainy_proofs(platform):
    del platform
    return {"note_pass": NotePass()}


@hookimpl
def symphainy_identity_sources(settings, clock, platform):
    del settings, clock, platform
    return [WordsOfACaller()]
