-- +goose Up

-- Progress --------------------------------------------------------------

-- What a run said: its last lines.
CREATE TABLE run_line (
  run   {key} NOT NULL,
  n     {int} NOT NULL,                   -- 1, 2, 3 … in the order they were said
  at    {key} NOT NULL,
  level {key} NOT NULL,                   -- info | warn | error
  text  TEXT NOT NULL,
  PRIMARY KEY (run, n)
) {norowid};

-- The counts of runs that were forgotten, so that all sums stay whole.
CREATE TABLE run_past (
  source    {key} NOT NULL,
  entity    {key} NOT NULL,
  runs      {int} NOT NULL,
  pulled    {int} NOT NULL,
  stored    {int} NOT NULL,
  unchanged {int} NOT NULL,
  echo      {int} NOT NULL,
  quarantined {int} NOT NULL,
  filtered  {int} NOT NULL,
  PRIMARY KEY (source, entity)
) {strict};
CREATE INDEX run_started ON run (started, id);

-- 1: a person let other rows of the plan go, and not yet this one.
ALTER TABLE outbox ADD COLUMN held {int} NOT NULL DEFAULT 0;
-- Which paths of the target the row writes: a shape, '' for a row from before.
ALTER TABLE outbox ADD COLUMN shape {key} NOT NULL DEFAULT '';
CREATE INDEX outbox_plan ON outbox (target, held, op, shape, seq) WHERE state = 'pending';
CREATE INDEX outbox_dropped ON outbox (target, seq) WHERE dropped = 1;

-- The sets of paths that rows write, by a hash of them. No values.
CREATE TABLE shape (
  id    {key} PRIMARY KEY,
  paths TEXT NOT NULL                     -- sorted, a line each, a line break before and behind
) {strict};

-- What a person said of an incident: that they look after it, or that it is to
-- be silent for a while.
CREATE TABLE alert_note (
  rule    {key} NOT NULL,
  subject {key} NOT NULL,
  who     TEXT NOT NULL,
  why     TEXT NOT NULL,
  at      {key} NOT NULL,
  until   {key} NOT NULL,                 -- of a silence; '' for the end of the incident
  PRIMARY KEY (rule, subject)
) {strict};

-- Derived ---------------------------------------------------------------

-- What the fields of a source hold, as they were last counted. Figures and the
-- shapes of values, no values.
CREATE TABLE profile (
  source  {key} NOT NULL,
  entity  {key} NOT NULL,
  at      {key} NOT NULL,
  mark    {key} NOT NULL,                 -- what the store stood at: the same mark gives the same profile
  body    TEXT NOT NULL,                  -- JSON
  PRIMARY KEY (source, entity)
) {strict};

-- How good the data was on a day (UTC): the last count of it.
CREATE TABLE health (
  day    {key} NOT NULL,
  source {key} NOT NULL,                  -- uid; '' for all together
  entity {key} NOT NULL,
  at     {key} NOT NULL,
  body   TEXT NOT NULL,                   -- JSON
  PRIMARY KEY (day, source, entity)
) {strict};

-- +goose Down
DROP TABLE health;
DROP TABLE profile;
DROP TABLE alert_note;
DROP TABLE shape;
DROP INDEX outbox_dropped;
DROP INDEX outbox_plan;
ALTER TABLE outbox DROP COLUMN shape;
ALTER TABLE outbox DROP COLUMN held;
DROP INDEX run_started;
DROP TABLE run_past;
DROP TABLE run_line;
