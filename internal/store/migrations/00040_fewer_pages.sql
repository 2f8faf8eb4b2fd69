-- +goose Up

-- Every record that joins others changes a page of each index, anywhere in the file.
-- No query walks golden records by how many of their members live; and the component
-- of nearly every record is named after its golden record, whose index knows it.
--sqlite DROP INDEX golden_live;
--sqlite DROP INDEX crosswalk_comp;
--sqlite CREATE INDEX crosswalk_comp ON crosswalk (comp) WHERE comp <> golden;

-- +goose Down
--sqlite DROP INDEX crosswalk_comp;
--sqlite CREATE INDEX crosswalk_comp ON crosswalk (comp);
--sqlite CREATE INDEX golden_live ON golden (live);
