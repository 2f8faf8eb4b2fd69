-- +goose Up

-- How many transactions have changed posting lists: a process that keeps them in
-- memory sees by it that another one has.
INSERT INTO counter (name, value) VALUES ('posting', 0);

-- +goose Down
DELETE FROM counter WHERE name = 'posting';
