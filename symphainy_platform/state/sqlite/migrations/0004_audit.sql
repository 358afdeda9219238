-- The audit chains, one per tenant: what the appender took from the outbox, for good. The unique event
-- lets no event into a chain twice.
CREATE TABLE audit (
  tenant_id    TEXT NOT NULL,
  seq          INTEGER NOT NULL CHECK (seq >= 1),
  event_cursor TEXT NOT NULL,
  body         TEXT NOT NULL,
  digest       BLOB NOT NULL CHECK (length(digest) = 32),
  PRIMARY KEY (tenant_id, seq)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX audit_by_event ON audit (tenant_id, event_cursor);
