-- +goose Up

-- Lists of one kind walk in the order of landing numbers. Without these SQLite took
-- the nearest index of the kind, by owner or by the source's own ids, and sorted all
-- of it for every page; PostgreSQL walks by the primary key, and would take them for
-- look-ups by a source's own ids while it has no statistics. Neither changes with a
-- record.
--sqlite CREATE INDEX golden_of ON golden (entity, founder);
--sqlite CREATE INDEX source_record_of ON source_record (source, entity, rec);

-- +goose Down
--sqlite DROP INDEX source_record_of;
--sqlite DROP INDEX golden_of;
