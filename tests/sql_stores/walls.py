"""What users may read straight from the database or its API, what they may not, and rows to try it on."""

from symphainy_platform.testing.store_suite.samples import (
    TENANT,
    artifact,
    chat_row,
    entry,
    event,
    execution,
    guard,
    writing,
)

READABLE = ("artifacts", "artifact_versions", "artifact_log", "artifact_index", "outbox", "chat_sessions")
OF_EVERY_TYPE = ("outbox", "chat_sessions")
"""Their rows are the user's to read, whatever the type of the artifact."""
HIDDEN = (
    "executions",
    "meta",
    "sealed_keys",
    "audit",
    "audit_state",
    "outbox_state",
    "outbox_epochs",
    "schema_migrations",
    "user_accounts",
    "sessions",
)


def owned(name, user, tenant=TENANT, kind="chat_session"):
    """Two versions of an artifact with everything beside it."""
    changes = {"tenant_id": tenant, "user_id": user, "artifact_type": kind}
    record = execution(f"exec_{name}_2", tenant_id=tenant, user_id=user, key=guard(name))
    return [
        writing(
            f"exec_{name}_1",
            artifact(name, **changes),
            execution=execution(f"exec_{name}_1", tenant_id=tenant, user_id=user),
            entries=(entry(1, artifact_id=name),),
            rows=(chat_row(name, user_id=user),),
            events=(event(artifact_id=name),),
        ),
        writing(f"exec_{name}_2", artifact(name, version=2, **changes), execution=record),
    ]
