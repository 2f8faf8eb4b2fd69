-- +goose Up

-- How many transactions have changed features: a process that keeps some in memory
-- sees by it that another one has.
INSERT INTO counter (name, value) VALUES ('feature', 0);

-- +goose Down
DELETE FROM counter WHERE name = 'feature';
