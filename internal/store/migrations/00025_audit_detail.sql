-- +goose Up

ALTER TABLE audit ADD COLUMN detail TEXT NOT NULL DEFAULT '';    -- what a subject is no place for; mac holds it where there is one

-- +goose Down

ALTER TABLE audit DROP COLUMN detail;
