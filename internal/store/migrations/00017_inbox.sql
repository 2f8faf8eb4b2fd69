-- +goose Up

-- Fact: what a person says a field of one version of a source record holds. It is
-- in force as long as its decision is, and for that version alone.
CREATE TABLE repair (
  rec      {int} NOT NULL,
  version  {int} NOT NULL,
  field    {key} NOT NULL,                -- of ours: "website", "phones"
  decision {key} NOT NULL,
  remedy   {key} NOT NULL,                -- by which it was made; 'typed' for a typed one
  sealed   {bytes} NOT NULL,              -- {"was": …, "now": …}, by the record's data key
  PRIMARY KEY (rec, version, field, decision)
) {norowid};
CREATE INDEX repair_decision ON repair (decision, rec);

-- Fact: relations that were proposed between two customers and that a person has
-- refused, by the records that showed them.
CREATE TABLE relation_refused (
  decision {key} NOT NULL,
  a        {int} NOT NULL,
  b        {int} NOT NULL,
  kind     {key} NOT NULL,
  PRIMARY KEY (decision, a, b, kind)
) {norowid};

-- Derived: what is wrong with the versions that wait in quarantine, without
-- values, so that equal faults are found together.
CREATE TABLE quarantine_fault (
  fault   {key} NOT NULL,                 -- keyed hash of source, entity type, rule, field and what is wrong
  at      {key} NOT NULL,
  id      {key} NOT NULL,                 -- of the quarantine row
  rec     {int} NOT NULL,
  source  {key} NOT NULL,
  entity  {key} NOT NULL,
  rule    {key} NOT NULL,
  field   {key} NOT NULL,                 -- without the numbers of entries: "/phones/*/value"
  PRIMARY KEY (fault, at, id)
) {norowid};
CREATE INDEX quarantine_fault_rec ON quarantine_fault (rec);
CREATE INDEX quarantine_source ON quarantine (source, state, at, id);

-- Progress: what rows of the outbox were before a person planned them again or
-- dropped them, so that it can be taken back.
CREATE TABLE revival (
  act   {key} NOT NULL,
  seq   {int} NOT NULL,                   -- of the row
  state {key} NOT NULL,
  sent  {int} NOT NULL,                   -- its sent_seq
  external_id {key} NOT NULL,
  error TEXT NOT NULL,
  PRIMARY KEY (act, seq)
) {norowid};

-- The faults of what waits now are found by deriving it again.
INSERT INTO backlog (rec, stage, entity, seq)
  SELECT DISTINCT q.rec, 1, q.entity, 0 FROM quarantine q WHERE q.state = 'open'
  ON CONFLICT (rec) DO UPDATE SET stage = 1;

-- +goose Down
DROP INDEX quarantine_source;
DROP TABLE revival;
DROP TABLE relation_refused;
DROP TABLE quarantine_fault;
DROP TABLE repair;
