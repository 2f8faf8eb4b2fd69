-- +goose Up

-- Who looks after a golden record, as its field owner says; '' for nobody. It
-- follows the fields (SaveGolden), to be counted and found by an index (00032).
ALTER TABLE golden ADD COLUMN owner {key} NOT NULL DEFAULT '';
--sqlite UPDATE golden SET owner = fields ->> 'owner' WHERE entity IN ('company', 'person') AND COALESCE(fields ->> 'owner', '') <> '';
--postgres UPDATE golden SET owner = fields::json ->> 'owner' WHERE entity IN ('company', 'person') AND position('"owner"' IN fields) > 0 AND position('\u0000' IN fields) = 0 AND COALESCE(fields::json ->> 'owner', '') <> '';

-- Which entity type a pair is of, so that its weights can be counted and found.
ALTER TABLE match ADD COLUMN entity {key} NOT NULL DEFAULT '';
UPDATE match SET entity = s.entity FROM source_record s WHERE s.rec = match.a;
CREATE INDEX match_weight ON match (entity, weight, a, b);

-- Further kept counts (00022 says how they are kept).

-- owner: live golden records by entity type and who looks after them. Those that
-- nobody looks after are the rest: where no owner is mapped nothing is counted.
INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', entity, owner, '', count(*), 0 FROM golden WHERE live > 0 AND owner <> '' GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_owner_insert AFTER INSERT ON golden WHEN NEW.live > 0 AND NEW.owner <> '' BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('owner', NEW.entity, NEW.owner, '', 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_owner_delete AFTER DELETE ON golden WHEN OLD.live > 0 AND OLD.owner <> '' BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('owner', OLD.entity, OLD.owner, '', -1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_owner_update AFTER UPDATE OF entity, live, owner ON golden WHEN OLD.entity <> NEW.entity OR OLD.live <> NEW.live OR OLD.owner <> NEW.owner BEGIN INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', OLD.entity, OLD.owner, '', -1, 0 WHERE OLD.live > 0 AND OLD.owner <> '' ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', NEW.entity, NEW.owner, '', 1, 0 WHERE NEW.live > 0 AND NEW.owner <> '' ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_owner() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, owner AS b, 1 AS n FROM new_rows WHERE live > 0 AND owner <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, owner AS b, -1 AS n FROM old_rows WHERE live > 0 AND owner <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'owner', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, owner AS b, 1 AS n FROM new_rows WHERE live > 0 AND owner <> '' UNION ALL SELECT entity AS a, owner AS b, -1 AS n FROM old_rows WHERE live > 0 AND owner <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_owner_insert AFTER INSERT ON golden REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_owner();
--postgres CREATE TRIGGER tally_owner_delete AFTER DELETE ON golden REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_owner();
--postgres CREATE TRIGGER tally_owner_update AFTER UPDATE ON golden REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_owner();

-- weight: pairs kept by entity type and quarter of a bit, cut downwards (whole
-- numbers are cut towards 0 by both engines, so they are shifted first).
INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', entity, CAST((weight + 1000000) / 250 - 4000 AS TEXT), '', count(*), 0 FROM match WHERE entity <> '' GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_weight_insert AFTER INSERT ON match WHEN NEW.entity <> '' BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('weight', NEW.entity, CAST((NEW.weight + 1000000) / 250 - 4000 AS TEXT), '', 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_weight_delete AFTER DELETE ON match WHEN OLD.entity <> '' BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('weight', OLD.entity, CAST((OLD.weight + 1000000) / 250 - 4000 AS TEXT), '', -1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_weight_update AFTER UPDATE OF entity, weight ON match WHEN OLD.entity <> NEW.entity OR OLD.weight <> NEW.weight BEGIN INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', OLD.entity, CAST((OLD.weight + 1000000) / 250 - 4000 AS TEXT), '', -1, 0 WHERE OLD.entity <> '' ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', NEW.entity, CAST((NEW.weight + 1000000) / 250 - 4000 AS TEXT), '', 1, 0 WHERE NEW.entity <> '' ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_weight() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, CAST((weight + 1000000) / 250 - 4000 AS TEXT) AS b, 1 AS n FROM new_rows WHERE entity <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, CAST((weight + 1000000) / 250 - 4000 AS TEXT) AS b, -1 AS n FROM old_rows WHERE entity <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'weight', d.a, d.b, '', sum(d.n), 0 FROM (SELECT entity AS a, CAST((weight + 1000000) / 250 - 4000 AS TEXT) AS b, 1 AS n FROM new_rows WHERE entity <> '' UNION ALL SELECT entity AS a, CAST((weight + 1000000) / 250 - 4000 AS TEXT) AS b, -1 AS n FROM old_rows WHERE entity <> '') d GROUP BY d.a, d.b HAVING sum(d.n) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_weight_insert AFTER INSERT ON match REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_weight();
--postgres CREATE TRIGGER tally_weight_delete AFTER DELETE ON match REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_weight();
--postgres CREATE TRIGGER tally_weight_update AFTER UPDATE ON match REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_weight();

-- Progress: what values a field has, counted in the background for a page: the
-- most frequent ones, sealed, for they are customers' data.
CREATE TABLE value_count (
  entity {key} NOT NULL,
  field  {key} NOT NULL,                  -- "industry", or "addresses.city" for a part
  asked  {key} NOT NULL,                  -- since when a count is wanted; '' when none is
  done   {int} NOT NULL,                  -- records read of the one under way
  whole  {int} NOT NULL,
  problem TEXT NOT NULL,                  -- why the last one failed; '' when it did not
  at     {key} NOT NULL,                  -- as of when what was counted is; '' before the first
  took   {int} NOT NULL,                  -- ms
  maps   {key} NOT NULL,                  -- which decisions on values were in force then
  salt   {bytes} NOT NULL,
  sealed {bytes} NOT NULL,                -- JSON
  PRIMARY KEY (entity, field)
) {strict};

-- +goose Down
DROP TABLE value_count;
--sqlite DROP TRIGGER tally_owner_insert;
--postgres DROP TRIGGER tally_owner_insert ON golden;
--sqlite DROP TRIGGER tally_owner_delete;
--postgres DROP TRIGGER tally_owner_delete ON golden;
--sqlite DROP TRIGGER tally_owner_update;
--postgres DROP TRIGGER tally_owner_update ON golden;
--postgres DROP FUNCTION tally_owner();
DELETE FROM tally WHERE what = 'owner';
--sqlite DROP TRIGGER tally_weight_insert;
--postgres DROP TRIGGER tally_weight_insert ON match;
--sqlite DROP TRIGGER tally_weight_delete;
--postgres DROP TRIGGER tally_weight_delete ON match;
--sqlite DROP TRIGGER tally_weight_update;
--postgres DROP TRIGGER tally_weight_update ON match;
--postgres DROP FUNCTION tally_weight();
DELETE FROM tally WHERE what = 'weight';
DROP INDEX match_weight;
ALTER TABLE match DROP COLUMN entity;
DROP INDEX IF EXISTS golden_owner;
ALTER TABLE golden DROP COLUMN owner;
