-- +goose Up

-- Lists of one kind walk in the order of landing numbers. Without these SQLite took
-- the nearest index of the kind, by owner or by the source's own ids, and sorted all
-- of it for every page. Neither changes with a record.
CREATE INDEX golden_of ON golden (entity, founder);
CREATE INDEX source_record_of ON source_record (source, entity, rec);

-- +goose Down
DROP INDEX source_record_of;
DROP INDEX golden_of;
