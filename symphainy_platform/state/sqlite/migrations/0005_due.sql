-- When the sweep that a type declares takes care of an artifact (NULL: never). Only the current version
-- counts; the column of the overwritten ones is there so that both tables have the same columns.
ALTER TABLE artifacts ADD COLUMN due_at TEXT;
ALTER TABLE artifact_versions ADD COLUMN due_at TEXT;
CREATE INDEX artifacts_due ON artifacts (due_at) WHERE due_at IS NOT NULL;
