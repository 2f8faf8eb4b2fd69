-- +goose Up

ALTER TABLE saved_view ADD COLUMN shared {int} NOT NULL DEFAULT 0;    -- 1: everybody who reads the page is offered it

-- +goose Down

ALTER TABLE saved_view DROP COLUMN shared;
