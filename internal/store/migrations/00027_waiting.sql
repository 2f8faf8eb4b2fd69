-- +goose Up

-- backlog: records that wait by entity type, source and stage; see 00022. A record
-- keeps its source for good.
INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', t.entity, s.source, CAST(t.stage AS TEXT), count(*), 0 FROM backlog t JOIN source_record s ON s.rec = t.rec GROUP BY t.entity, s.source, t.stage;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_backlog_insert AFTER INSERT ON backlog BEGIN INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', NEW.entity, source, CAST(NEW.stage AS TEXT), 1, 0 FROM source_record WHERE rec = NEW.rec ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + 1; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_backlog_delete AFTER DELETE ON backlog BEGIN INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', OLD.entity, source, CAST(OLD.stage AS TEXT), -1, 0 FROM source_record WHERE rec = OLD.rec ON CONFLICT (what, a, b, c) DO UPDATE SET n = n - 1; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_backlog_update AFTER UPDATE OF entity, stage ON backlog WHEN OLD.entity <> NEW.entity OR OLD.stage <> NEW.stage BEGIN INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', OLD.entity, source, CAST(OLD.stage AS TEXT), -1, 0 FROM source_record WHERE rec = OLD.rec ON CONFLICT (what, a, b, c) DO UPDATE SET n = n - 1; INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', NEW.entity, source, CAST(NEW.stage AS TEXT), 1, 0 FROM source_record WHERE rec = NEW.rec ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + 1; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_backlog() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', t.entity, s.source, CAST(t.stage AS TEXT), count(*), 0 FROM new_rows t JOIN source_record s ON s.rec = t.rec GROUP BY t.entity, s.source, t.stage;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', t.entity, s.source, CAST(t.stage AS TEXT), -count(*), 0 FROM old_rows t JOIN source_record s ON s.rec = t.rec GROUP BY t.entity, s.source, t.stage;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'backlog', d.entity, s.source, CAST(d.stage AS TEXT), sum(d.n), 0 FROM (
--postgres     SELECT x.rec, CASE WHEN k.n > 0 THEN x.entity ELSE o.entity END AS entity, CASE WHEN k.n > 0 THEN x.stage ELSE o.stage END AS stage, k.n
--postgres     FROM new_rows x JOIN old_rows o ON o.rec = x.rec CROSS JOIN (VALUES (1), (-1)) AS k(n) WHERE x.stage <> o.stage OR x.entity <> o.entity) d
--postgres     JOIN source_record s ON s.rec = d.rec GROUP BY d.entity, s.source, d.stage HAVING sum(d.n) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON backlog REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_backlog();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON backlog REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_backlog();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON backlog REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_backlog();

-- Few of an entity type or stage wait among many of another, and a preview asks
-- for what came last.
CREATE INDEX backlog_stage ON backlog (entity, stage, rec);
CREATE INDEX backlog_seq ON backlog (seq);

-- When a write may go on: those that nothing holds back, and those whose end is
-- not known, to be asked about and to be sent again.
CREATE INDEX outbox_due ON outbox (target, waits_on, not_before) WHERE state = 'pending' AND held = 0;
CREATE INDEX outbox_unknown ON outbox (target, not_before) WHERE state = 'unknown';
CREATE INDEX outbox_again ON outbox (target, (CASE WHEN zombie_until > not_before THEN zombie_until ELSE not_before END)) WHERE state = 'unknown';

-- The list of an entity type's bridges does not walk those of others.
ALTER TABLE bridge ADD COLUMN entity {key} NOT NULL DEFAULT '';
UPDATE bridge SET entity = (SELECT s.entity FROM source_record s WHERE s.rec = bridge.a);
CREATE INDEX bridge_entity ON bridge (entity, weight DESC, a, b);
DROP INDEX bridge_weight;

-- +goose Down
CREATE INDEX bridge_weight ON bridge (weight DESC, a, b);
DROP INDEX bridge_entity;
ALTER TABLE bridge DROP COLUMN entity;
DROP INDEX outbox_again;
DROP INDEX outbox_unknown;
DROP INDEX outbox_due;
DROP INDEX backlog_seq;
DROP INDEX backlog_stage;
--sqlite DROP TRIGGER tally_backlog_insert;
--postgres DROP TRIGGER tally_insert ON backlog;
--sqlite DROP TRIGGER tally_backlog_delete;
--postgres DROP TRIGGER tally_delete ON backlog;
--sqlite DROP TRIGGER tally_backlog_update;
--postgres DROP TRIGGER tally_update ON backlog;
--postgres DROP FUNCTION tally_backlog();
DELETE FROM tally WHERE what = 'backlog';
