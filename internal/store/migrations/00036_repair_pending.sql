-- +goose Up

-- Fact: repairs that came from another installation and wait: for their record to
-- land, or, with a problem, because it does not hold what they were made on.
CREATE TABLE repair_pending (
  decision    {key} NOT NULL,
  n           {int} NOT NULL,             -- which of the decision's repairs
  source      {key} NOT NULL,             -- the source's name: it may not be configured yet
  entity      {key} NOT NULL,
  external_id {key} NOT NULL,
  version     {int} NOT NULL,             -- of the record there
  field       {key} NOT NULL,
  remedy      {key} NOT NULL,
  salt        {bytes} NOT NULL,
  sealed      {bytes} NOT NULL,           -- {"was": …, "now": …}
  problem     TEXT NOT NULL,
  PRIMARY KEY (decision, n)
) {norowid};
CREATE INDEX repair_pending_of ON repair_pending (external_id, source);

-- +goose Down
DROP TABLE repair_pending;
