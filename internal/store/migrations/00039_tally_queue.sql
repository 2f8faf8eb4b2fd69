-- +goose Up

-- queue: pairs that wait by entity type, kind and the two sources of their records
-- (the lower uid, a space, the higher one), so that those of one source need no
-- counting either; m: damage. What another process has begun to write is waited for:
-- the new function would not know of it.
--postgres LOCK TABLE queue IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM tally WHERE what = 'queue';
INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', entity, kind, low || ' ' || high, count(*), -sum(rank_damage) FROM queue GROUP BY 1, 2, 3, 4;
--sqlite DROP TRIGGER tally_queue_insert;
--sqlite DROP TRIGGER tally_queue_delete;
--sqlite DROP TRIGGER tally_queue_update;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_insert AFTER INSERT ON queue BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', NEW.entity, NEW.kind, NEW.low || ' ' || NEW.high, 1, -NEW.rank_damage) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_delete AFTER DELETE ON queue BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', OLD.entity, OLD.kind, OLD.low || ' ' || OLD.high, -(1), -(-OLD.rank_damage)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_update AFTER UPDATE OF entity, kind, rank_damage, low, high ON queue WHEN OLD.entity <> NEW.entity OR OLD.kind <> NEW.kind OR OLD.rank_damage <> NEW.rank_damage OR OLD.low <> NEW.low OR OLD.high <> NEW.high BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', OLD.entity, OLD.kind, OLD.low || ' ' || OLD.high, -(1), -(-OLD.rank_damage)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', NEW.entity, NEW.kind, NEW.low || ' ' || NEW.high, 1, -NEW.rank_damage) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE OR REPLACE FUNCTION tally_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, low || ' ' || high AS c, (1) AS n, (-rank_damage) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, low || ' ' || high AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, low || ' ' || high AS c, (1) AS n, (-rank_damage) AS m FROM new_rows UNION ALL SELECT entity AS a, kind AS b, low || ' ' || high AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd

-- +goose Down
--postgres LOCK TABLE queue IN SHARE ROW EXCLUSIVE MODE;
DELETE FROM tally WHERE what = 'queue';
INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', entity, kind, '', count(*), -sum(rank_damage) FROM queue GROUP BY 1, 2, 3, 4;
--sqlite DROP TRIGGER tally_queue_insert;
--sqlite DROP TRIGGER tally_queue_delete;
--sqlite DROP TRIGGER tally_queue_update;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_insert AFTER INSERT ON queue BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', NEW.entity, NEW.kind, '', 1, -NEW.rank_damage) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_delete AFTER DELETE ON queue BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', OLD.entity, OLD.kind, '', -(1), -(-OLD.rank_damage)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_queue_update AFTER UPDATE OF entity, kind, rank_damage ON queue WHEN OLD.entity <> NEW.entity OR OLD.kind <> NEW.kind OR OLD.rank_damage <> NEW.rank_damage BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', OLD.entity, OLD.kind, '', -(1), -(-OLD.rank_damage)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('queue', NEW.entity, NEW.kind, '', 1, -NEW.rank_damage) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE OR REPLACE FUNCTION tally_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, (1) AS n, (-rank_damage) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, (1) AS n, (-rank_damage) AS m FROM new_rows UNION ALL SELECT entity AS a, kind AS b, '' AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
