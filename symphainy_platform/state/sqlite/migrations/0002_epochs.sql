-- Which start of the store gave an event its id: a row holds for the ids above `after_id`, up to the
-- next row's. Every start begins an epoch, so that a copy and its original, which go on from the same
-- event, never take each other's cursors for their own.
CREATE TABLE outbox_epochs (
  after_id INTEGER NOT NULL PRIMARY KEY,
  epoch    BLOB NOT NULL
) STRICT;

INSERT INTO outbox_epochs (after_id, epoch) SELECT -1, substr(value, 1, 8) FROM meta WHERE name = 'epoch';
