-- +goose Up

-- Fact: which values of a field stand for another one, decided by a person. It
-- is in force as long as its decision is.
CREATE TABLE value_map (
  decision {key} PRIMARY KEY,
  entity   {key} NOT NULL,
  field    {key} NOT NULL,                -- "industry", or "addresses.city" for a part
  salt     {bytes} NOT NULL,
  sealed   {bytes} NOT NULL               -- [[from, to], …], sorted
) {strict};
CREATE INDEX value_map_entity ON value_map (entity);

-- Progress: decisions that came into force or went out of it, and whose records
-- have not been put on the backlog yet.
CREATE TABLE value_map_due (
  decision {key} PRIMARY KEY,
  seq      {int} NOT NULL
) {strict};

-- +goose Down
DROP TABLE value_map_due;
DROP TABLE value_map;
