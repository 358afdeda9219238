-- The platform's own keys, sealed by the master key that is never here. `id` is their order. One key of
-- a purpose is current (it has no `rotated_at`): the index lets no second one in.
CREATE TABLE sealed_keys (
  id         INTEGER PRIMARY KEY AUTOINCREMENT,
  purpose    TEXT NOT NULL,
  kid        TEXT NOT NULL UNIQUE,
  public     BLOB NOT NULL,
  sealed     BLOB NOT NULL,
  created_at TEXT NOT NULL,
  rotated_at TEXT
) STRICT;

CREATE UNIQUE INDEX sealed_keys_current ON sealed_keys (purpose) WHERE rotated_at IS NULL;
