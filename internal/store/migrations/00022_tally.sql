-- +goose Up

-- Derived: counts that pages show, kept by the database itself in the transaction
-- that changes what they count. SQLite has one writer and one row for a count.
-- On PostgreSQL each statement adds a row, so that no two writers wait for each
-- other, and the rows of a count are summed up now and then (FoldTally).
CREATE TABLE tally (
  what {key} NOT NULL,                    -- what is counted; see below
  a    {key} NOT NULL,
  b    {key} NOT NULL,
  c    {key} NOT NULL,
  n    {int} NOT NULL,
  m    {int} NOT NULL                     -- of a second count
) {strict};
--sqlite CREATE UNIQUE INDEX tally_of ON tally (what, a, b, c);
--postgres CREATE INDEX tally_of ON tally (what);

-- records: source records by source and entity type; m: deleted.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'records', source, entity, '', sum(1), sum(CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) FROM source_record GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'records', source, entity, '', sum(1), sum(CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) FROM source_record GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_source_record_insert AFTER INSERT ON source_record BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('records', NEW.source, NEW.entity, '', 1, CASE WHEN NEW.deleted <> 0 THEN 1 ELSE 0 END) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_source_record_delete AFTER DELETE ON source_record BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('records', OLD.source, OLD.entity, '', -(1), -(CASE WHEN OLD.deleted <> 0 THEN 1 ELSE 0 END)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_source_record_update AFTER UPDATE OF source, entity, deleted ON source_record WHEN OLD.source <> NEW.source OR OLD.entity <> NEW.entity OR OLD.deleted <> NEW.deleted BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('records', OLD.source, OLD.entity, '', -(1), -(CASE WHEN OLD.deleted <> 0 THEN 1 ELSE 0 END)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('records', NEW.source, NEW.entity, '', 1, CASE WHEN NEW.deleted <> 0 THEN 1 ELSE 0 END) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_source_record() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'records', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, '' AS c, (1) AS n, (CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'records', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, '' AS c, -(1) AS n, -(CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'records', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, '' AS c, (1) AS n, (CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) AS m FROM new_rows UNION ALL SELECT source AS a, entity AS b, '' AS c, -(1) AS n, -(CASE WHEN deleted <> 0 THEN 1 ELSE 0 END) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON source_record REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_source_record();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON source_record REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_source_record();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON source_record REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_source_record();

-- golden: live golden records by entity type; m: their live members.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'golden', entity, '', '', sum(CASE WHEN live > 0 THEN 1 ELSE 0 END), sum(CASE WHEN live > 0 THEN live ELSE 0 END) FROM golden GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'golden', entity, '', '', sum(CASE WHEN live > 0 THEN 1 ELSE 0 END), sum(CASE WHEN live > 0 THEN live ELSE 0 END) FROM golden GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_golden_insert AFTER INSERT ON golden BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('golden', NEW.entity, '', '', CASE WHEN NEW.live > 0 THEN 1 ELSE 0 END, CASE WHEN NEW.live > 0 THEN NEW.live ELSE 0 END) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_golden_delete AFTER DELETE ON golden BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('golden', OLD.entity, '', '', -(CASE WHEN OLD.live > 0 THEN 1 ELSE 0 END), -(CASE WHEN OLD.live > 0 THEN OLD.live ELSE 0 END)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_golden_update AFTER UPDATE OF entity, live ON golden WHEN OLD.entity <> NEW.entity OR OLD.live <> NEW.live BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('golden', OLD.entity, '', '', -(CASE WHEN OLD.live > 0 THEN 1 ELSE 0 END), -(CASE WHEN OLD.live > 0 THEN OLD.live ELSE 0 END)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('golden', NEW.entity, '', '', CASE WHEN NEW.live > 0 THEN 1 ELSE 0 END, CASE WHEN NEW.live > 0 THEN NEW.live ELSE 0 END) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_golden() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'golden', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, '' AS b, '' AS c, (CASE WHEN live > 0 THEN 1 ELSE 0 END) AS n, (CASE WHEN live > 0 THEN live ELSE 0 END) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'golden', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, '' AS b, '' AS c, -(CASE WHEN live > 0 THEN 1 ELSE 0 END) AS n, -(CASE WHEN live > 0 THEN live ELSE 0 END) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'golden', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, '' AS b, '' AS c, (CASE WHEN live > 0 THEN 1 ELSE 0 END) AS n, (CASE WHEN live > 0 THEN live ELSE 0 END) AS m FROM new_rows UNION ALL SELECT entity AS a, '' AS b, '' AS c, -(CASE WHEN live > 0 THEN 1 ELSE 0 END) AS n, -(CASE WHEN live > 0 THEN live ELSE 0 END) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON golden REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_golden();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON golden REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_golden();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON golden REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_golden();

-- quarantine: quarantined versions by source, entity type and state.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'quarantine', source, entity, state, sum(1), sum(0) FROM quarantine GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'quarantine', source, entity, state, sum(1), sum(0) FROM quarantine GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_insert AFTER INSERT ON quarantine BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('quarantine', NEW.source, NEW.entity, NEW.state, 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_delete AFTER DELETE ON quarantine BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('quarantine', OLD.source, OLD.entity, OLD.state, -(1), -(0)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_update AFTER UPDATE OF source, entity, state ON quarantine WHEN OLD.source <> NEW.source OR OLD.entity <> NEW.entity OR OLD.state <> NEW.state BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('quarantine', OLD.source, OLD.entity, OLD.state, -(1), -(0)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('quarantine', NEW.source, NEW.entity, NEW.state, 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_quarantine() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'quarantine', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, state AS c, (1) AS n, (0) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'quarantine', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, state AS c, -(1) AS n, -(0) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'quarantine', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT source AS a, entity AS b, state AS c, (1) AS n, (0) AS m FROM new_rows UNION ALL SELECT source AS a, entity AS b, state AS c, -(1) AS n, -(0) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON quarantine REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON quarantine REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON quarantine REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine();

-- fault: faults that wait by name and source; c: entity type, rule and field, a line each.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'fault', fault, source, entity || char(10) || rule || char(10) || field, sum(1), sum(0) FROM quarantine_fault GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'fault', fault, source, entity || chr(10) || rule || chr(10) || field, sum(1), sum(0) FROM quarantine_fault GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_fault_insert AFTER INSERT ON quarantine_fault BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('fault', NEW.fault, NEW.source, NEW.entity || char(10) || NEW.rule || char(10) || NEW.field, 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_fault_delete AFTER DELETE ON quarantine_fault BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('fault', OLD.fault, OLD.source, OLD.entity || char(10) || OLD.rule || char(10) || OLD.field, -(1), -(0)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_quarantine_fault_update AFTER UPDATE OF fault, source, entity, rule, field ON quarantine_fault WHEN OLD.fault <> NEW.fault OR OLD.source <> NEW.source OR OLD.entity <> NEW.entity OR OLD.rule <> NEW.rule OR OLD.field <> NEW.field BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('fault', OLD.fault, OLD.source, OLD.entity || char(10) || OLD.rule || char(10) || OLD.field, -(1), -(0)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('fault', NEW.fault, NEW.source, NEW.entity || char(10) || NEW.rule || char(10) || NEW.field, 1, 0) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_quarantine_fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'fault', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT fault AS a, source AS b, entity || chr(10) || rule || chr(10) || field AS c, (1) AS n, (0) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'fault', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT fault AS a, source AS b, entity || chr(10) || rule || chr(10) || field AS c, -(1) AS n, -(0) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'fault', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT fault AS a, source AS b, entity || chr(10) || rule || chr(10) || field AS c, (1) AS n, (0) AS m FROM new_rows UNION ALL SELECT fault AS a, source AS b, entity || chr(10) || rule || chr(10) || field AS c, -(1) AS n, -(0) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON quarantine_fault REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine_fault();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON quarantine_fault REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine_fault();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON quarantine_fault REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_quarantine_fault();

-- outbox: writes by target and state; c: what they do, of those that wait with held and shape; m: verified.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'outbox', target, state, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END, sum(1), sum(verified) FROM outbox GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'outbox', target, state, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END, sum(1), sum(verified) FROM outbox GROUP BY 1, 2, 3, 4;
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_outbox_insert AFTER INSERT ON outbox BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('outbox', NEW.target, NEW.state, CASE WHEN NEW.state = 'pending' THEN NEW.op || ' ' || NEW.held || ' ' || NEW.shape ELSE NEW.op END, 1, NEW.verified) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_outbox_delete AFTER DELETE ON outbox BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('outbox', OLD.target, OLD.state, CASE WHEN OLD.state = 'pending' THEN OLD.op || ' ' || OLD.held || ' ' || OLD.shape ELSE OLD.op END, -(1), -(OLD.verified)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--sqlite -- +goose StatementBegin
--sqlite CREATE TRIGGER tally_outbox_update AFTER UPDATE OF target, state, op, held, shape, verified ON outbox WHEN OLD.target <> NEW.target OR OLD.state <> NEW.state OR OLD.op <> NEW.op OR OLD.held <> NEW.held OR OLD.shape <> NEW.shape OR OLD.verified <> NEW.verified BEGIN INSERT INTO tally (what, a, b, c, n, m) VALUES ('outbox', OLD.target, OLD.state, CASE WHEN OLD.state = 'pending' THEN OLD.op || ' ' || OLD.held || ' ' || OLD.shape ELSE OLD.op END, -(1), -(OLD.verified)) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; INSERT INTO tally (what, a, b, c, n, m) VALUES ('outbox', NEW.target, NEW.state, CASE WHEN NEW.state = 'pending' THEN NEW.op || ' ' || NEW.held || ' ' || NEW.shape ELSE NEW.op END, 1, NEW.verified) ON CONFLICT (what, a, b, c) DO UPDATE SET n = n + excluded.n, m = m + excluded.m; END;
--sqlite -- +goose StatementEnd
--postgres -- +goose StatementBegin
--postgres CREATE FUNCTION tally_outbox() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'outbox', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT target AS a, state AS b, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END AS c, (1) AS n, (verified) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'outbox', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT target AS a, state AS b, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END AS c, -(1) AS n, -(verified) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'outbox', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT target AS a, state AS b, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END AS c, (1) AS n, (verified) AS m FROM new_rows UNION ALL SELECT target AS a, state AS b, CASE WHEN state = 'pending' THEN op || ' ' || held || ' ' || shape ELSE op END AS c, -(1) AS n, -(verified) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON outbox REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_outbox();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON outbox REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_outbox();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON outbox REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_outbox();

-- queue: pairs that wait by entity type and kind; m: damage.
--sqlite INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', entity, kind, '', sum(1), sum(-rank_damage) FROM queue GROUP BY 1, 2, 3, 4;
--postgres INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', entity, kind, '', sum(1), sum(-rank_damage) FROM queue GROUP BY 1, 2, 3, 4;
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
--postgres CREATE FUNCTION tally_queue() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
--postgres   IF TG_OP = 'INSERT' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, (1) AS n, (-rank_damage) AS m FROM new_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSIF TG_OP = 'DELETE' THEN INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   ELSE INSERT INTO tally (what, a, b, c, n, m) SELECT 'queue', d.a, d.b, d.c, sum(d.n), sum(d.m) FROM (SELECT entity AS a, kind AS b, '' AS c, (1) AS n, (-rank_damage) AS m FROM new_rows UNION ALL SELECT entity AS a, kind AS b, '' AS c, -(1) AS n, -(-rank_damage) AS m FROM old_rows) d GROUP BY d.a, d.b, d.c HAVING sum(d.n) <> 0 OR sum(d.m) <> 0;
--postgres   END IF;
--postgres   RETURN NULL;
--postgres END $$;
--postgres -- +goose StatementEnd
--postgres CREATE TRIGGER tally_insert AFTER INSERT ON queue REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_queue();
--postgres CREATE TRIGGER tally_delete AFTER DELETE ON queue REFERENCING OLD TABLE AS old_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_queue();
--postgres CREATE TRIGGER tally_update AFTER UPDATE ON queue REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION tally_queue();

-- Ways to what pages ask of large tables.
CREATE INDEX outbox_sent ON outbox (target, sent_at) WHERE sent_at <> '';
CREATE INDEX outbox_pending ON outbox (target, at) WHERE state = 'pending';
CREATE INDEX outbox_failing ON outbox (target, state, seq) WHERE state = 'pending' AND error <> '';
CREATE INDEX outbox_stuck ON outbox (state, at) WHERE state IN ('unknown', 'conflict', 'dead', 'rejected');
CREATE INDEX ruling_stale ON ruling (decision) WHERE stale <> 0;
CREATE INDEX bridge_weight ON bridge (weight DESC, a, b);
-- Whatever a filter of the queue asks for stands in the index that is walked.
DROP INDEX queue_damage;
CREATE INDEX queue_damage ON queue (entity, rank_damage, a, b, until, kind, low, high, chance, value, systems, assigned, due, proposer, x, y);
CREATE INDEX queue_skipped ON queue (entity, rank_damage, a, b) WHERE until <> '';

-- +goose Down
DROP INDEX queue_skipped;
DROP INDEX queue_damage;
CREATE INDEX queue_damage ON queue (entity, rank_damage, a, b);
DROP INDEX bridge_weight;
DROP INDEX ruling_stale;
DROP INDEX outbox_stuck;
DROP INDEX outbox_failing;
DROP INDEX outbox_pending;
DROP INDEX outbox_sent;
--sqlite DROP TRIGGER tally_source_record_insert;
--postgres DROP TRIGGER tally_insert ON source_record;
--sqlite DROP TRIGGER tally_source_record_delete;
--postgres DROP TRIGGER tally_delete ON source_record;
--sqlite DROP TRIGGER tally_source_record_update;
--postgres DROP TRIGGER tally_update ON source_record;
--postgres DROP FUNCTION tally_source_record();
--sqlite DROP TRIGGER tally_golden_insert;
--postgres DROP TRIGGER tally_insert ON golden;
--sqlite DROP TRIGGER tally_golden_delete;
--postgres DROP TRIGGER tally_delete ON golden;
--sqlite DROP TRIGGER tally_golden_update;
--postgres DROP TRIGGER tally_update ON golden;
--postgres DROP FUNCTION tally_golden();
--sqlite DROP TRIGGER tally_quarantine_insert;
--postgres DROP TRIGGER tally_insert ON quarantine;
--sqlite DROP TRIGGER tally_quarantine_delete;
--postgres DROP TRIGGER tally_delete ON quarantine;
--sqlite DROP TRIGGER tally_quarantine_update;
--postgres DROP TRIGGER tally_update ON quarantine;
--postgres DROP FUNCTION tally_quarantine();
--sqlite DROP TRIGGER tally_quarantine_fault_insert;
--postgres DROP TRIGGER tally_insert ON quarantine_fault;
--sqlite DROP TRIGGER tally_quarantine_fault_delete;
--postgres DROP TRIGGER tally_delete ON quarantine_fault;
--sqlite DROP TRIGGER tally_quarantine_fault_update;
--postgres DROP TRIGGER tally_update ON quarantine_fault;
--postgres DROP FUNCTION tally_quarantine_fault();
--sqlite DROP TRIGGER tally_outbox_insert;
--postgres DROP TRIGGER tally_insert ON outbox;
--sqlite DROP TRIGGER tally_outbox_delete;
--postgres DROP TRIGGER tally_delete ON outbox;
--sqlite DROP TRIGGER tally_outbox_update;
--postgres DROP TRIGGER tally_update ON outbox;
--postgres DROP FUNCTION tally_outbox();
--sqlite DROP TRIGGER tally_queue_insert;
--postgres DROP TRIGGER tally_insert ON queue;
--sqlite DROP TRIGGER tally_queue_delete;
--postgres DROP TRIGGER tally_delete ON queue;
--sqlite DROP TRIGGER tally_queue_update;
--postgres DROP TRIGGER tally_update ON queue;
--postgres DROP FUNCTION tally_queue();
DROP TABLE tally;
