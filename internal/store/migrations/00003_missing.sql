-- +goose Up

-- Records that stayed away from a whole pass of their source: not deleted yet.
-- A deletion is a version like any other and stands in source_version.
CREATE TABLE missing (
  rec    {int} PRIMARY KEY,
  source {key} NOT NULL,
  entity {key} NOT NULL,
  run    {key} NOT NULL,                  -- the first pass that it stayed away from
  began  {key} NOT NULL,                  -- when that pass began
  at     {key} NOT NULL                   -- when it ended
) {strict};
CREATE INDEX missing_source ON missing (source, entity);

-- Deletions that wait for a person.
CREATE TABLE deletion_hold (
  source  {key} NOT NULL,
  entity  {key} NOT NULL,
  why     {key} NOT NULL,                 -- brake | unread
  due     {int} NOT NULL,                 -- records that would be deleted
  live    {int} NOT NULL,                 -- records of the source that are not deleted
  since   {key} NOT NULL,
  allowed {key} NOT NULL,                 -- when a person let it, once; ''
  who     TEXT NOT NULL,
  PRIMARY KEY (source, entity)
) {strict};

-- +goose Down
DROP TABLE deletion_hold;
DROP TABLE missing;
