"""What happens before an attack."""

import dataclasses
import sqlite3
from contextlib import closing

from attacks.scene import PASSWORD

HOUR = 3600
DAY = 24 * HOUR
WEEK = 7 * DAY


def cora(scene):
    """Cora has an account, a session, and a proof that she has not used."""
    if scene.cora is None:
        scene.cora = scene.open_account("cora", ["editor"])
        scene.fresh_proof(scene.cora)


def authenticated(scene):
    """Cora has another proof."""
    scene.fresh_proof(scene.cora)


PREPARED = {cora, authenticated}
"""Steps after which a scene is as good for another attack."""


def passes(seconds):
    """Time passes."""
    return lambda scene: scene.pass_time(seconds)


def rotated(name="ann", *, used=True, hours=24):
    """Somebody's token was replaced."""
    return lambda scene: scene.rotate(getattr(scene, name), used=used, hours=hours)


def terminated(scene):
    scene.terminate(scene.ann)


def revoked(scene):
    """Ann has ended all her sessions."""
    scene.run("revoke_session", {"scope": "all"}, scene.ann.identity)


def unused(name):
    """Somebody opens a session, and has not used it."""

    def step(scene):
        setattr(scene, name, scene.open_session(scene.tenant, name, used=False))

    return step


def disabled(scene):
    scene.as_service("set_user_status", user_id=scene.cora.user_id, status="DISABLED")


def enabled(scene):
    scene.as_service("set_user_status", user_id=scene.cora.user_id, status="ACTIVE")


def password_changed(scene):
    """Cora has changed her password from another device."""
    first = scene.cora
    phone = dataclasses.replace(first, older=[])
    scene.fresh_proof(phone)
    scene.sign_in(phone)
    new = {"current_password": PASSWORD, "new_password": "better horse battery"}
    scene.secrets.add(new["new_password"])
    scene.run("change_password", new, phone.identity)


def proof_used(*, then_session_used):
    """Cora has opened a session with her proof."""

    def step(scene):
        first = scene.cora
        scene.laptop = dataclasses.replace(first, older=[])
        scene.sign_in(scene.laptop, used=then_session_used)

    return step


def written(statement, *arguments):
    """Other hands have written into the database, such as those that restore a backup."""

    def step(scene):
        values = [argument(scene) for argument in arguments]
        with closing(sqlite3.connect(scene.server.settings.home / "platform.db")) as connection:
            changed = connection.execute(statement, values).rowcount
            connection.commit()
        assert changed == 1, statement
        scene.pass_time(2)  # what is remembered of artifacts is read anew

    return step


DISABLED_ELSEWHERE = written(
    "UPDATE artifacts SET lifecycle_state = 'DISABLED' WHERE tenant_id = ? AND artifact_id = ?",
    lambda s: s.tenant,
    lambda s: s.cora.user_id,
)

EPOCH_MOVED_ELSEWHERE = written(
    "UPDATE artifacts SET semantic_payload = json_set(semantic_payload, '$.epoch', 2)"
    " WHERE tenant_id = ? AND artifact_id = ?",
    lambda s: s.tenant,
    lambda s: s.cora.user_id,
)


def swept(scene):
    scene.server.ask(scene.server.platform.sweep())


def keys_rotated(scene):
    """Another key signs from now on; somebody has kept the one before."""
    scene.kept_key = scene.signing_key()
    scene.server.ask(scene.server.platform.keys.rotate())
