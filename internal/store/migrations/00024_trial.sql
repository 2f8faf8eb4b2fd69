-- +goose Up

-- The thresholds that came into force with an activation, as probabilities; ''
-- for those of the configuration. They hold while the configuration says what it
-- said then (of_link, of_review).
ALTER TABLE activation ADD COLUMN link TEXT NOT NULL DEFAULT '';
ALTER TABLE activation ADD COLUMN review TEXT NOT NULL DEFAULT '';
ALTER TABLE activation ADD COLUMN of_link TEXT NOT NULL DEFAULT '';
ALTER TABLE activation ADD COLUMN of_review TEXT NOT NULL DEFAULT '';
-- Who had it fitted; '' for a built-in one, or one from before.
ALTER TABLE model ADD COLUMN who TEXT NOT NULL DEFAULT '';

-- Progress: what a change of what is in force would do, worked out beside the
-- store. No values: records and pairs are numbers.
CREATE TABLE trial (
  id     {key} PRIMARY KEY,
  entity {key} NOT NULL,
  kind   {key} NOT NULL,                  -- model | thresholds | rules
  asked  TEXT NOT NULL,                   -- JSON: what would be in force
  basis  {int} NOT NULL,                  -- generation that it is compared with
  state  {key} NOT NULL,                  -- waiting | running | ready | failed | refused | taken | undone
  stage  TEXT NOT NULL DEFAULT '',
  done   {int} NOT NULL DEFAULT 0,
  whole  {int} NOT NULL DEFAULT 0,
  who    TEXT NOT NULL,
  why    TEXT NOT NULL,
  at     {key} NOT NULL,
  ended  {key} NOT NULL DEFAULT '',
  problem TEXT NOT NULL DEFAULT '',
  plan   TEXT NOT NULL DEFAULT '',        -- JSON
  judge  TEXT NOT NULL DEFAULT '',
  judged TEXT NOT NULL DEFAULT '',        -- why
  judged_at {key} NOT NULL DEFAULT '',
  generation {int} NOT NULL DEFAULT 0     -- that it began, when it was taken
) {strict};
CREATE INDEX trial_at ON trial (at, id);
CREATE INDEX trial_state ON trial (state, at);

-- Fact: the customers that one decision passed from one owner to another, with
-- what stood there. The certificate is made of it; the new owners are pins.
CREATE TABLE handover (
  decision {key} PRIMARY KEY,
  entity   {key} NOT NULL,
  former   TEXT NOT NULL,                 -- '' for nobody
  owner    TEXT NOT NULL,
  parts    {int} NOT NULL
) {strict};
CREATE TABLE handover_part (
  decision {key} NOT NULL,
  n        {int} NOT NULL,                -- 1, 2, 3 … in the order of the list
  rec      {int} NOT NULL,                -- the record that the customer is named by
  sealed   {bytes} NOT NULL,              -- what stood there before
  PRIMARY KEY (decision, n)
) {norowid};

-- +goose Down
DROP TABLE handover_part;
DROP TABLE handover;
DROP TABLE trial;
ALTER TABLE model DROP COLUMN who;
ALTER TABLE activation DROP COLUMN of_review;
ALTER TABLE activation DROP COLUMN of_link;
ALTER TABLE activation DROP COLUMN review;
ALTER TABLE activation DROP COLUMN link;
