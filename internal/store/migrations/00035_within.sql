-- +goose Up

-- Refused relations by their records: who reaches few customers is shown what
-- speaks of these, and nothing else is looked at for it.
CREATE INDEX relation_refused_a ON relation_refused (a);
CREATE INDEX relation_refused_b ON relation_refused (b);

-- +goose Down
DROP INDEX relation_refused_b;
DROP INDEX relation_refused_a;
