-- +goose Up

-- Facts that nothing else keeps -------------------------------------------

-- In how much of the time of a day (UTC) a source's data were fresh, a target's
-- writes in time, the daemon at work: service levels.
CREATE TABLE level_day (
  day   {key} NOT NULL,                   -- 2006-01-02
  kind  {key} NOT NULL,                   -- source | target | daemon
  name  {key} NOT NULL,                   -- uid of the source, name of the target, '' for the daemon
  good  {int} NOT NULL,                   -- milliseconds
  whole {int} NOT NULL,                   -- milliseconds that were looked at
  PRIMARY KEY (day, kind, name)
) {norowid};

-- +goose Down
DROP TABLE level_day;
