-- +goose Up

-- Facts -----------------------------------------------------------------

-- What customers held before and after a change of who they are, made in the
-- transaction of the change. A refused one was rolled back, and is kept beside it.
CREATE TABLE balance (
  seq       {int} PRIMARY KEY,
  at        {key} NOT NULL,
  entity    {key} NOT NULL,
  state     {key} NOT NULL,               -- balanced | refused
  moved     {int} NOT NULL,               -- records that went to another golden record
  sealed_by {int} NOT NULL,               -- the record whose data key seals the sheet
  sheet     {bytes} NOT NULL              -- sealed: it tells sums of money
) {strict};
CREATE INDEX balance_state ON balance (state, at);

-- The decisions that a change came from; a change without one is the matcher's.
CREATE TABLE balance_of (
  decision {key} NOT NULL,
  balance  {int} NOT NULL,
  PRIMARY KEY (decision, balance)
) {norowid};

-- Progress --------------------------------------------------------------

-- Decisions whose effect has not been weighed yet, by the records they touch.
CREATE TABLE balance_due (
  decision {key} NOT NULL,
  rec      {int} NOT NULL,
  PRIMARY KEY (decision, rec)
) {norowid};
CREATE INDEX balance_due_rec ON balance_due (rec);

-- +goose Down
DROP TABLE balance_due;
DROP TABLE balance_of;
DROP TABLE balance;
