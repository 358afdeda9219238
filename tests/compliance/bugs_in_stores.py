"""Wrong stores: the same port, over SQLite, with one sentence of its docstrings broken."""

import secrets
from dataclasses import replace

from planting import shows_in

from symphainy_platform.state.rows import artifact_from, payload_columns
from symphainy_platform.state.sqlite import commit, reads
from symphainy_platform.state.sqlite.store import SqliteStore
from symphainy_platform.state.store import ArtifactById, NewestArtifact


@shows_in("deposit", "update_chat_context")
def version_not_checked(patch):
    """an update overwrites whatever the current version is, and keeps no history"""

    def update(self, write):
        new = write.artifact
        place = (new.tenant_id, new.artifact_id)
        self.cursor.execute(commit._UPDATE_PAYLOAD, (new.version, *payload_columns(new), new.updated_at, *place))
        return True

    patch.setattr(commit._Run, "_update", update)


@shows_in("deposit")
def stale_writes_rebased(patch):
    """an update that was decided on an old version is written on top of the newest: a lost update with full history"""
    real = commit._Run._update

    def update(self, write):
        current = self._version(write.artifact.tenant_id, write.artifact.artifact_id)
        rebased = replace(write.artifact, version=current + 1)
        return real(self, replace(write, artifact=rebased, base_version=current, base_execution_id=None))

    patch.setattr(commit._Run, "_update", update)


@shows_in("deposit")
def old_version_not_kept(patch):
    """an overwritten version is gone"""
    real = commit._Run._update

    def update(self, write):
        done = real(self, write)
        self.cursor.execute("DELETE FROM artifact_versions")
        return done

    patch.setattr(commit._Run, "_update", update)


@shows_in("deposit")
def tenant_not_filtered(patch):
    """an artifact is found by its id alone"""

    def by_id(connection, read):
        statement = reads.SQL["artifact"].replace("tenant_id = ?", "tenant_id >= ?")
        row = connection.execute(statement, ("", read.artifact_id)).fetchone()
        return row and artifact_from(row)

    patch.setitem(reads.ANSWERS, ArtifactById, by_id)


@shows_in("update_chat_context", "get_chat_session")
def newest_of_anybody(patch):
    """the default session is the newest of the tenant, whoever owns it"""

    def newest(connection, read):
        statement = reads.SQL["newest_artifact"].replace("user_id = ?", "user_id >= ?")
        for state in read.states:
            row = connection.execute(statement, (read.tenant_id, "", read.artifact_type, state)).fetchone()
            if row:
                return artifact_from(row)
        return None

    patch.setitem(reads.ANSWERS, NewestArtifact, newest)


@shows_in("deposit")
def keys_forgotten_at_restart(patch):
    """the secret of the keys is made anew at every start"""

    async def secret(*_):
        return secrets.token_bytes(32)

    patch.setattr(SqliteStore, "secret", secret)


@shows_in("open_account")
def key_not_unique(patch):
    """a key that is held is taken over: two processes both write"""
    patch.setattr(commit._Run, "_holds", lambda *_: False)


@shows_in("deposit")
def events_not_written(patch):
    """the store leaves out the events of a commit"""
    real = SqliteStore.commit

    async def committed(self, batch):
        return await real(self, [replace(item, events=()) for item in batch])

    patch.setattr(SqliteStore, "commit", committed)
