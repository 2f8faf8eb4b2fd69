-- +goose Up

ALTER TABLE audit ADD COLUMN form {int} NOT NULL DEFAULT 1;      -- how mac is made: 2 holds the next four too
ALTER TABLE audit ADD COLUMN role TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN request TEXT NOT NULL DEFAULT '';
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT 'done';
ALTER TABLE audit ADD COLUMN more TEXT NOT NULL DEFAULT '';      -- further subjects, one a line

CREATE INDEX audit_at ON audit (at, seq);
CREATE INDEX audit_what ON audit (what, seq);
CREATE INDEX audit_who ON audit (who, what, seq);
CREATE INDEX audit_subject_first ON audit (subject, seq);

-- Derived: rows by their further subjects.
CREATE TABLE audit_subject (
  subject {key} NOT NULL,
  seq     {int} NOT NULL,
  PRIMARY KEY (subject, seq)
) {norowid};

-- The chain over the rows: it has numbers of its own, without gaps.
CREATE TABLE audit_seal (
  n   {int} PRIMARY KEY,
  seq {int} NOT NULL UNIQUE,
  h   {bytes} NOT NULL,
  mac {bytes} NOT NULL                    -- of n, seq and h, under a key outside the database
) {strict};

CREATE TABLE audit_checkpoint (
  n    {int} PRIMARY KEY,
  at   {key} NOT NULL,
  note TEXT NOT NULL
) {strict};

-- Sealers take turns on this row.
INSERT INTO counter (name, value) VALUES ('audit', 0);

-- What was written stays. Only putting a backup back clears what a restore that
-- was cut short left behind.
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_no_update BEFORE UPDATE ON audit BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_seal_no_update BEFORE UPDATE ON audit_seal BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_checkpoint_no_update BEFORE UPDATE ON audit_checkpoint BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_no_delete BEFORE DELETE ON audit WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'restoring') BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_seal_no_delete BEFORE DELETE ON audit_seal WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'restoring') BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER audit_checkpoint_no_delete BEFORE DELETE ON audit_checkpoint WHEN NOT EXISTS (SELECT 1 FROM setting WHERE name = 'restoring') BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'DELETE' THEN
--postgres     IF EXISTS (SELECT 1 FROM setting WHERE name = 'restoring') THEN RETURN OLD; END IF;
--postgres   END IF;
--postgres   RAISE EXCEPTION 'audit rows are never changed or deleted';
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_stays();
--postgres CREATE TRIGGER audit_seal_no_change BEFORE UPDATE OR DELETE ON audit_seal FOR EACH ROW EXECUTE FUNCTION audit_stays();
--postgres CREATE TRIGGER audit_checkpoint_no_change BEFORE UPDATE OR DELETE ON audit_checkpoint FOR EACH ROW EXECUTE FUNCTION audit_stays();

-- +goose Down
DROP TABLE audit_checkpoint;
DROP TABLE audit_seal;
DROP TABLE audit_subject;
