-- +goose Up

-- What was measured while a model was fitted, as JSON; '' for a built-in one.
ALTER TABLE model ADD COLUMN figures TEXT NOT NULL DEFAULT '';

-- Fact: which model was in force from when on. The last one of an entity is.
CREATE TABLE activation (
  entity     {key} NOT NULL,
  generation {int} NOT NULL,              -- 1, 2, 3 …
  version    {key} NOT NULL,
  who        TEXT NOT NULL,
  why        TEXT NOT NULL,
  at         {key} NOT NULL,
  PRIMARY KEY (entity, generation)
) {strict};

-- Derived: the values that more names use than the model allows, by the hash of
-- their blocking key.
CREATE TABLE shared_value (
  value  {int} PRIMARY KEY,
  entity {key} NOT NULL
) {strict};
CREATE INDEX shared_value_entity ON shared_value (entity);

-- +goose Down
DROP TABLE shared_value;
DROP TABLE activation;
ALTER TABLE model DROP COLUMN figures;
