-- +goose Up

-- Facts -----------------------------------------------------------------

-- What a person decided. Its effect on records stands in rulings.
CREATE TABLE decision (
  seq          {int} PRIMARY KEY,         -- fact number: the order of decisions
  id           {key} NOT NULL UNIQUE,
  kind         {key} NOT NULL,            -- merge | split | pin | unpin | unsure | import | undo | expiry
  mark         {key} NOT NULL,            -- keyed hash of what it says: the same again is the same
  who          TEXT NOT NULL,
  why          TEXT NOT NULL,
  at           {key} NOT NULL,
  until        {key} NOT NULL,            -- of a pin: when it ends; '' for never
  withdrawn    {key} NOT NULL DEFAULT '', -- when it went out of force; follows from decision_withdrawal
  withdrawn_by {key} NOT NULL DEFAULT ''
) {strict};
CREATE INDEX decision_mark ON decision (mark);
CREATE INDEX decision_until ON decision (until);

-- A decision is in force as long as no decision in force withdraws it.
CREATE TABLE decision_withdrawal (
  decision  {key} NOT NULL,
  withdraws {key} NOT NULL,               -- a decision, or a ruling that belongs to none
  PRIMARY KEY (decision, withdraws)
) {norowid};
CREATE INDEX decision_withdrawal_of ON decision_withdrawal (withdraws);

ALTER TABLE ruling ADD COLUMN decision {key} NOT NULL DEFAULT '';
ALTER TABLE ruling ADD COLUMN a_version {int} NOT NULL DEFAULT 0; -- the versions then seen
ALTER TABLE ruling ADD COLUMN b_version {int} NOT NULL DEFAULT 0;
ALTER TABLE ruling ADD COLUMN a_seen {bytes};                     -- keyed hash of what identified the record then
ALTER TABLE ruling ADD COLUMN b_seen {bytes};
ALTER TABLE ruling ADD COLUMN stale {int} NOT NULL DEFAULT 0;     -- 1: a has changed since, 2: b has
ALTER TABLE ruling ADD COLUMN sealed {bytes};                     -- of a pin: its value
CREATE INDEX ruling_decision ON ruling (decision);

-- Rulings on records that have not landed yet.
CREATE TABLE ruling_pending (
  id       {key} PRIMARY KEY,
  decision {key} NOT NULL,
  kind     {key} NOT NULL,
  a_source {key} NOT NULL,                -- the source's name: it may not be configured yet
  a_entity {key} NOT NULL,
  a_id     {key} NOT NULL,
  b_source {key} NOT NULL,
  b_entity {key} NOT NULL,
  b_id     {key} NOT NULL,
  field    TEXT NOT NULL,
  salt     {bytes},
  sealed   {bytes},
  problem  TEXT NOT NULL                  -- why it could not be applied when its records had landed
) {strict};
CREATE INDEX ruling_pending_a ON ruling_pending (a_id, a_source);
CREATE INDEX ruling_pending_b ON ruling_pending (b_id, b_source);

-- Which golden record a source record belonged to, from when on.
CREATE TABLE crosswalk_version (
  rec    {int} NOT NULL,
  at     {key} NOT NULL,
  golden {int} NOT NULL,                  -- 0: in none any more
  PRIMARY KEY (rec, at)
) {norowid};
CREATE INDEX crosswalk_version_golden ON crosswalk_version (golden, at);
INSERT INTO crosswalk_version (rec, at, golden)
  SELECT c.rec, COALESCE((SELECT max(v.at) FROM golden_version v WHERE v.founder = c.golden), ''), c.golden FROM crosswalk c;

-- Progress --------------------------------------------------------------

ALTER TABLE outbox ADD COLUMN dropped {int} NOT NULL DEFAULT 0;   -- 1: a person does not want it written

-- +goose Down
DROP TABLE crosswalk_version;
DROP TABLE ruling_pending;
DROP TABLE decision_withdrawal;
DROP TABLE decision;
