-- +goose Up

-- Progress: which customers and fields an account or a token sees: names of
-- scopes and masks of the configuration with blanks between, '' for all.
ALTER TABLE account ADD COLUMN reach TEXT NOT NULL DEFAULT '';
ALTER TABLE account ADD COLUMN masks TEXT NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN reach TEXT NOT NULL DEFAULT '';
ALTER TABLE api_token ADD COLUMN masks TEXT NOT NULL DEFAULT '';

-- Derived ---------------------------------------------------------------

-- The scopes whose customers are kept. Only a whole one reaches anybody.
CREATE TABLE reach_scope (
  id    {int} PRIMARY KEY,
  hash  {key} NOT NULL UNIQUE,            -- of what the scope says
  state {key} NOT NULL,                   -- filling | whole | leaving
  upto  {int} NOT NULL                    -- founder up to which it is filled
) {strict};

-- Which golden records a scope reaches.
CREATE TABLE reach (
  scope   {int} NOT NULL,
  founder {int} NOT NULL,
  PRIMARY KEY (scope, founder)
) {norowid};
CREATE INDEX reach_founder ON reach (founder);

-- +goose Down
DROP TABLE reach;
DROP TABLE reach_scope;
ALTER TABLE api_token DROP COLUMN masks;
ALTER TABLE api_token DROP COLUMN reach;
ALTER TABLE account DROP COLUMN masks;
ALTER TABLE account DROP COLUMN reach;
