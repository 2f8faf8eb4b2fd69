-- +goose Up

-- Progress: where each golden id that was ever published stands in the change
-- feed, by its latest change only. Numbers are in commit order: whoever has read
-- up to one misses nothing below it.
CREATE TABLE feed (
  founder {int} PRIMARY KEY,
  seq     {int} NOT NULL,
  id      {key} NOT NULL,                 -- golden id
  entity  {key} NOT NULL,
  kind    {key} NOT NULL,                 -- saved | merged (into another) | gone (no live member)
  at      {key} NOT NULL
) {strict};
CREATE UNIQUE INDEX feed_seq ON feed (seq);
INSERT INTO feed (founder, seq, id, entity, kind, at)
  SELECT founder, ROW_NUMBER() OVER (ORDER BY changed_at, founder), id, entity, CASE WHEN live > 0 THEN 'saved' ELSE 'gone' END, changed_at FROM golden;
INSERT INTO counter (name, value) SELECT 'feed', count(*) FROM feed;

-- Progress: answers to requests that carried an idempotency key.
CREATE TABLE api_call (
  key     {key} PRIMARY KEY,              -- hash of who asks and their key
  request {bytes} NOT NULL,               -- hash of what was asked
  at      {key} NOT NULL,
  status  {int} NOT NULL,                 -- 0: under way
  body    {bytes} NOT NULL,
  salt    {bytes} NOT NULL
) {strict};
CREATE INDEX api_call_at ON api_call (at);

-- +goose Down
DROP TABLE api_call;
DELETE FROM counter WHERE name = 'feed';
DROP TABLE feed;
