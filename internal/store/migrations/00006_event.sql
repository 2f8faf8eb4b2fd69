-- +goose Up

-- Facts -----------------------------------------------------------------

-- What happened to or with customers. The versions are sealed with the event's
-- own data key; its salt is sealed by the record the event belongs to as soon
-- as that is known, so that erasing the record takes its events with it.
CREATE TABLE event (
  ev          {int} PRIMARY KEY,          -- landing number
  source      {key} NOT NULL,             -- uid
  kind        {key} NOT NULL,             -- its name below events: in the configuration
  external_id {key} NOT NULL,
  salt        {bytes},                    -- plain while sealed_by is 0; NULL when erased
  sealed_by   {int} NOT NULL,             -- the record whose data key seals the salt
  version     {int} NOT NULL,             -- the current version by the source's own order
  latest      {int} NOT NULL,             -- the last one landed
  hash        {bytes} NOT NULL,           -- of the current version
  stamp       {key} NOT NULL,             -- of the current version
  deleted     {int} NOT NULL,
  UNIQUE (source, kind, external_id)
) {strict};
CREATE INDEX event_sealed ON event (sealed_by);

CREATE TABLE event_version (
  ev      {int} NOT NULL,
  version {int} NOT NULL,
  seq     {int} NOT NULL,                 -- fact number
  raw     {bytes} NOT NULL,               -- sealed
  hash    {bytes} NOT NULL,
  stamp   {key} NOT NULL,
  seen_at {key} NOT NULL,
  deleted {int} NOT NULL,
  place   TEXT NOT NULL,
  problem TEXT NOT NULL,
  PRIMARY KEY (ev, version)
) {strict};

-- Derived ---------------------------------------------------------------

CREATE TABLE event_state (
  ev       {int} PRIMARY KEY,
  version  {int} NOT NULL,                -- in force
  type     {key} NOT NULL,
  at       {key} NOT NULL,
  amount   TEXT NOT NULL,                 -- decimal
  currency {key} NOT NULL,
  channel  {key} NOT NULL,
  status   {key} NOT NULL,
  body     {bytes} NOT NULL               -- sealed: subject and payload
) {strict};
CREATE INDEX event_state_at ON event_state (at, ev);

-- The source records an event belongs to, as its source names them. rec is 0
-- until the record has landed.
CREATE TABLE event_of (
  ev          {int} NOT NULL,
  n           {int} NOT NULL,
  source      {key} NOT NULL,
  entity      {key} NOT NULL,
  external_id {key} NOT NULL,
  rec         {int} NOT NULL,
  at          {key} NOT NULL,             -- of the event, for lists by time
  PRIMARY KEY (ev, n)
) {strict};
CREATE INDEX event_of_rec ON event_of (rec, at, ev);
CREATE INDEX event_of_waiting ON event_of (source, entity, external_id) WHERE rec = 0;

-- Why an event's current version did not pass.
CREATE TABLE event_fault (
  ev      {int} PRIMARY KEY,
  version {int} NOT NULL,
  reasons {bytes} NOT NULL                -- sealed: they quote values
) {strict};

-- Typed, dated edges from a source record to another one, which may not have
-- landed yet.
CREATE TABLE relation (
  rec         {int} NOT NULL,
  n           {int} NOT NULL,
  kind        {key} NOT NULL,
  source      {key} NOT NULL,             -- of the other end
  entity      {key} NOT NULL,
  external_id {key} NOT NULL,
  title       TEXT NOT NULL,
  role        TEXT NOT NULL,
  share       TEXT NOT NULL,
  since       {key} NOT NULL,
  until       {key} NOT NULL,
  ended       {int} NOT NULL,             -- 1: over by the record's own time
  PRIMARY KEY (rec, n)
) {strict};
CREATE INDEX relation_to ON relation (source, entity, external_id);

-- Values that a table of the configuration does not know. place is '' for a
-- source record's mapping, else the target; rec is the founder then.
CREATE TABLE lookup_miss (
  rec   {int} NOT NULL,
  n     {int} NOT NULL,
  place {key} NOT NULL,
  tbl   {key} NOT NULL,
  value {key} NOT NULL,
  PRIMARY KEY (rec, n, place)
) {strict};
CREATE INDEX lookup_miss_value ON lookup_miss (tbl, value);

-- Golden records that a target's where leaves out.
CREATE TABLE left_out (
  target  {key} NOT NULL,
  founder {int} NOT NULL,
  PRIMARY KEY (target, founder)
) {strict};

-- Progress --------------------------------------------------------------

CREATE TABLE event_todo (
  ev  {int} PRIMARY KEY,
  seq {int} NOT NULL
) {strict};

-- The founder whose create this row waits for; 0 for none.
ALTER TABLE outbox ADD COLUMN waits_on {int} NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE outbox DROP COLUMN waits_on;
DROP TABLE event_todo;
DROP TABLE left_out;
DROP TABLE lookup_miss;
DROP TABLE relation;
DROP TABLE event_fault;
DROP TABLE event_of;
DROP TABLE event_state;
DROP TABLE event_version;
DROP TABLE event;
