-- +goose Up

-- Small secrets that connectors are given to keep, sealed. Progress: a rebuild
-- leaves it alone, and nothing deletes from it.
CREATE TABLE kept (
  name          {key} PRIMARY KEY,
  value         {bytes} NOT NULL,         -- sealed; empty while it was only claimed
  salt          {bytes} NOT NULL,         -- of the value's data key, a new one for each value
  at            {key} NOT NULL,
  claimed_by    {key} NOT NULL,           -- who works on it, until when; '' for nobody
  claimed_until {key} NOT NULL
) {strict};

-- +goose Down
DROP TABLE kept;
