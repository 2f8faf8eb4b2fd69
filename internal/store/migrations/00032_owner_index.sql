-- +goose Up

-- The golden records of an owner. A name may be longer than an index of PostgreSQL
-- takes, so it holds the beginning; OwnedBy compares the whole too.
DROP INDEX IF EXISTS golden_owner;
CREATE INDEX golden_owner ON golden (entity, substr(owner, 1, 200), founder) WHERE live > 0;

-- +goose Down
DROP INDEX golden_owner;
