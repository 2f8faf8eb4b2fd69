-- +goose Up

-- The records and events that still wait for work are the backlog.
ALTER TABLE todo RENAME TO backlog;
ALTER TABLE event_todo RENAME TO event_backlog;

-- +goose Down
ALTER TABLE event_backlog RENAME TO event_todo;
ALTER TABLE backlog RENAME TO todo;
