-- +goose Up

-- Every linked batch drops and looks for the bridges of its records from both ends.
CREATE INDEX bridge_b ON bridge (b);

-- A pass ends the runs of its source that a crash left open: few of many.
CREATE INDEX run_open ON run (source, entity) WHERE state = 'running';

-- Golden records are written and read far more often than their size matters: up to
-- a page they are not compressed.
--postgres ALTER TABLE golden SET (toast_tuple_target = 8160);

-- +goose Down
--postgres ALTER TABLE golden RESET (toast_tuple_target);
DROP INDEX run_open;
DROP INDEX bridge_b;
