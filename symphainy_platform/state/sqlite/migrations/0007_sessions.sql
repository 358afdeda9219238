-- Domain table of realm security: one row per session, without anything of which a token can be made.
CREATE TABLE sessions (
  tenant_id       TEXT NOT NULL,
  session_ref     TEXT NOT NULL,
  user_id         TEXT NOT NULL,
  id_hash         TEXT NOT NULL,
  gen             INTEGER NOT NULL CHECK (gen >= 1),
  iat             INTEGER NOT NULL,
  exp             INTEGER NOT NULL,
  kid             TEXT NOT NULL,
  rotated_at      TEXT,
  seen            INTEGER NOT NULL,
  execution_id    TEXT NOT NULL,
  lifecycle_state TEXT NOT NULL,
  version         INTEGER NOT NULL,
  expires_at      TEXT NOT NULL,
  created_at      TEXT NOT NULL,
  updated_at      TEXT NOT NULL,
  PRIMARY KEY (tenant_id, session_ref)
) STRICT;
