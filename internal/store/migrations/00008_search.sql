-- +goose Up

-- Derived ---------------------------------------------------------------

-- What is looked for of each live golden record: folded words between blanks.
CREATE TABLE search_text (
  founder {int} PRIMARY KEY,
  entity  {key} NOT NULL,
  name    {key} NOT NULL,                 -- folded
  text    TEXT NOT NULL,
  systems {int} NOT NULL                  -- how many sources it has members of
) {strict};
CREATE INDEX search_text_name ON search_text (name);

-- Posting lists: words, and of Han runs every two characters and the last one.
CREATE TABLE search (
  gram    {key} NOT NULL,
  founder {int} NOT NULL,
  PRIMARY KEY (gram, founder)
) {norowid};

CREATE INDEX golden_live ON golden (live);

-- A store that has golden records already is filled by the next run.
INSERT INTO setting (name, value) SELECT 'search_fill', 'needed' WHERE EXISTS (SELECT 1 FROM golden);

-- +goose Down
DROP INDEX golden_live;
DROP TABLE search;
DROP TABLE search_text;
