-- Domain table of realm security: the accounts, without anything secret. That an address is taken once
-- in a tenant is kept by the artifact of the address.
CREATE TABLE user_accounts (
  tenant_id  TEXT NOT NULL,
  user_id    TEXT NOT NULL,
  email      TEXT NOT NULL,
  name       TEXT,
  roles      TEXT NOT NULL,
  status     TEXT NOT NULL CHECK (status IN ('ACTIVE', 'DISABLED')),
  epoch      INTEGER NOT NULL CHECK (epoch >= 1),
  version    INTEGER NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (tenant_id, user_id)
) STRICT;
