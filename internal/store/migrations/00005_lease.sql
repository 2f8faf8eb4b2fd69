-- +goose Up

-- Who works on this store. The row changes only when somebody takes it; what
-- writes holds it for sharing, so that nobody takes it in the middle of a write.
CREATE TABLE lease (
  name  {key} PRIMARY KEY,
  epoch {int} NOT NULL,                   -- grows with each holder: the fencing token
  host  TEXT NOT NULL,
  pid   {int} NOT NULL,
  since {key} NOT NULL                    -- '' when nobody holds it
) {strict};

-- The holder's sign of life, in a row of its own: it must not wait for writes.
CREATE TABLE lease_beat (
  name {key} PRIMARY KEY,
  at   {key} NOT NULL
) {strict};

-- What a person was called for. A row is one incident, from its beginning to
-- its end.
CREATE TABLE alert (
  id       {key} PRIMARY KEY,
  rule     {key} NOT NULL,
  subject  {key} NOT NULL,                -- source, target or queue; '' where there is only one
  text     TEXT NOT NULL,
  began    {key} NOT NULL,
  ended    {key} NOT NULL DEFAULT '',
  channel  {key} NOT NULL,                -- webhook, mail
  told     {key} NOT NULL DEFAULT '',     -- last time it was told
  resolved {key} NOT NULL DEFAULT '',     -- when its end was told
  attempt  {int} NOT NULL DEFAULT 0,      -- failed ones in a row
  next     {key} NOT NULL DEFAULT '',     -- not before
  error    TEXT NOT NULL DEFAULT ''
) {strict};
CREATE INDEX alert_open ON alert (ended, resolved, rule, subject);
