"""Runs of many requests, each of which shows what no single one does; raises AssertionError where it does not."""

import sqlite3
from contextlib import closing

import httpx
from attacks.attacked import MASTER_KEY
from attacks.groups import steps
from attacks.scene import PASSWORD, Scene
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_HEARTBEATS = 20
"""So many of them after its end, and a stream goes on."""


def _stream(scene, bearer, **headers):
    headers = {"Authorization": f"Bearer {bearer}", **headers}
    return httpx.stream("GET", f"{scene.server.url}/api/events", headers=headers, timeout=10)


def first_events(scene, bearer):
    """What a stream from the very beginning says until its first heartbeat."""
    said = []
    with _stream(scene, bearer, **{"Last-Event-ID": "0"}) as answer:
        assert answer.status_code == 200
        for line in answer.iter_lines():
            if line.startswith(": heartbeat"):
                break
            said.append(line)
    return "\n".join(said)


def a_stream_tells_of_nobody_else(server):
    scene = Scene(server)
    said = first_events(scene, scene.bob.token)
    assert scene.bob.ref in said
    assert scene.ann.ref not in said
    assert scene.eve.ref not in said


def a_stream_of_a_service_tells_of_no_other_tenant(server):
    scene = Scene(server)
    said = first_events(scene, scene.command_line_token({"service"}, user="operator"))
    assert scene.ann.ref in said
    assert scene.eve.ref not in said


def a_stream_ends_with_its_session(server, end=steps.terminated):
    scene = Scene(server)
    with _stream(scene, scene.ann.token) as answer:
        lines = answer.iter_lines()
        assert next(lines).startswith("retry")
        end(scene)
        beats = 0
        for line in lines:
            beats += line.startswith(": heartbeat")
            assert beats < _HEARTBEATS, "the stream goes on"


def a_full_run(server):
    """Everything that handles a secret, failures included; returns the scene with all of them."""
    scene = Scene(server)
    steps.cora(scene)
    scene.rotate(scene.cora)
    steps.password_changed(scene)
    steps.keys_rotated(scene)
    scene.rotate(scene.ann, used=False)
    for answer in (
        scene.refresh(scene.ann, token=scene.ann.older[0]),
        scene.refresh(scene.bob, token=scene.ann.token),
        scene.submit("refresh_session", {"session_id": scene.ann.session_id, "session_token": "x", "typo": 1}),
        scene.submit(f"refresh_session {scene.ann.token}", {}),
        scene.submit("list_sessions", {scene.ann.token: scene.ann.session_id}, bearer=scene.ann.token),
        scene.post(scene.ann.token.encode(), bearer=scene.ann.token),
        scene.submit("list_sessions", {}, bearer=scene.ann.token, metadata={"trace": "x"}),
        scene.get(f"/api/{scene.ann.session_id}", bearer=scene.ann.token),
    ):
        assert answer.status_code in {200, 400, 401, 404, 422}
    scene.pass_time(11)
    scene.refresh(scene.ann, token=scene.ann.older[0])
    scene.terminate(scene.bob)
    server.ask(server.platform.audit.append())
    steps.swept(scene)
    return scene


def private_keys(server):
    """The signing keys' private halves, as an attacker would look for them."""
    keys = server.ask(server.platform.keys._vault.keys()).tokens.values()
    return [key.pair.private.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption()) for key in keys]


def no_secret_is_at_rest_in_events_or_in_logs(server):
    scene = a_full_run(server)
    secrets = [secret.encode() for secret in {MASTER_KEY, PASSWORD, *scene.secrets}]
    signatures = [secret.rpartition(b".")[2] for secret in secrets if secret.count(b".") == 2]
    server.state()
    files = {path: path.read_bytes() for path in server.settings.home.glob("platform.db*")}
    assert len(files) >= 2, "the database and its WAL"
    places = {**{str(path): data for path, data in files.items()}, "log": server.log.since(0).encode()}
    places["dump"] = _dumped(server)
    for place, data in places.items():
        held = [secret[:12] for secret in [*secrets, *signatures, *private_keys(server)] if secret in data]
        assert not held, f"{place} holds {held}"


def _dumped(server):
    """Every table and index, blobs in hexadecimal."""
    with closing(sqlite3.connect(server.settings.home / "platform.db")) as connection:
        return "\n".join(connection.iterdump()).encode()
