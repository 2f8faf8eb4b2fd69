-- +goose Up

-- Fact: how two customers are related, as a person says. It is in force as long
-- as its decision is, and goes where its two source records go.
CREATE TABLE said_relation (
  decision {key} PRIMARY KEY,
  a        {int} NOT NULL,
  b        {int} NOT NULL,
  kind     {key} NOT NULL,
  role     {key} NOT NULL,                -- in buying; '' for other kinds
  stance   {key} NOT NULL,
  share    TEXT NOT NULL,                 -- percent
  since    {key} NOT NULL,                -- YYYY-MM-DD
  until    {key} NOT NULL,                -- its last day; '' while it lasts
  sealed   {bytes} NOT NULL               -- the title, with a's data key
) {strict};
CREATE INDEX said_relation_a ON said_relation (a);
CREATE INDEX said_relation_b ON said_relation (b);

-- Progress: lists that people keep by name.
CREATE TABLE saved_view (
  id    {key} PRIMARY KEY,
  who   TEXT NOT NULL,
  page  {key} NOT NULL,
  name  TEXT NOT NULL,
  query TEXT NOT NULL,
  at    {key} NOT NULL
) {strict};
CREATE INDEX saved_view_page ON saved_view (page, who);

-- +goose Down
DROP TABLE saved_view;
DROP TABLE said_relation;
