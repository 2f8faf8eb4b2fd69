-- +goose Up

-- Derived ---------------------------------------------------------------

-- The pairs that wait for a person: of two golden records one, by their
-- strongest pair of source records. What people do about it stands in
-- pair_work, and is repeated here to be found.
CREATE TABLE queue (
  a           {int} NOT NULL,             -- the strongest pair
  b           {int} NOT NULL,
  x           {int} NOT NULL,             -- founder of a's golden record
  y           {int} NOT NULL,
  entity      {key} NOT NULL,
  kind        {key} NOT NULL,             -- below | veto | bridge | group | stale
  low         {key} NOT NULL,             -- the smaller of the two sources' uids
  high        {key} NOT NULL,
  weight      {int} NOT NULL,             -- 1/1000 bit
  far         {int} NOT NULL,             -- from the link threshold
  chance      {int} NOT NULL,             -- that they are one customer, in millionths
  pairs       {int} NOT NULL,             -- of source records
  value       {int} NOT NULL,             -- of both customers, 1/100 of the base currency
  systems     {int} NOT NULL,
  damage      {int} NOT NULL,             -- what a decision takes off the expected loss
  rank_damage {int} NOT NULL,             -- minus that: one direction serves every order
  name        {key} NOT NULL,             -- folded, of the first of the two
  since       {key} NOT NULL,             -- progress: when it came to wait
  assigned    {key} NOT NULL,             -- progress, like the rest: whom it was given to
  due         {key} NOT NULL,
  until       {key} NOT NULL,             -- put aside until
  escalated   {int} NOT NULL,
  proposer    {key} NOT NULL,             -- whose answer waits for a second account
  PRIMARY KEY (a, b)
) {norowid};
CREATE INDEX queue_x ON queue (x);
CREATE INDEX queue_y ON queue (y);
CREATE INDEX queue_damage ON queue (entity, rank_damage, a, b);
CREATE INDEX queue_far ON queue (entity, far, a, b);
CREATE INDEX queue_since ON queue (entity, since, a, b);
CREATE INDEX queue_name ON queue (entity, name, a, b);
CREATE INDEX queue_kind ON queue (entity, kind, rank_damage, a, b);
CREATE INDEX queue_sources ON queue (entity, low, high, rank_damage, a, b);
CREATE INDEX queue_assigned ON queue (assigned, entity, rank_damage, a, b) WHERE assigned <> '';
CREATE INDEX queue_due ON queue (due) WHERE due <> '';
CREATE INDEX queue_until ON queue (until) WHERE until <> '';
CREATE INDEX queue_proposer ON queue (entity, rank_damage, a, b) WHERE proposer <> '';

-- Golden records whose pairs are to be valued anew.
CREATE TABLE queue_backlog (
  founder {int} PRIMARY KEY
) {strict};

-- A store that has matches already is filled by the next run.
INSERT INTO setting (name, value) SELECT 'queue_fill/' || entity, 'needed' FROM (SELECT DISTINCT entity FROM golden) AS e;

-- Facts -----------------------------------------------------------------

-- What people said about a pair without deciding it.
CREATE TABLE pair_note (
  id   {key} PRIMARY KEY,
  a    {int} NOT NULL,                    -- founders of the two golden records then
  b    {int} NOT NULL,
  who  {key} NOT NULL,
  at   {key} NOT NULL,
  what {key} NOT NULL,                    -- note | assign | due | skip | escalate | propose | withdraw | confirm
  text {bytes} NOT NULL                   -- sealed by a
) {strict};
CREATE INDEX pair_note_a ON pair_note (a);
CREATE INDEX pair_note_b ON pair_note (b);

-- Answers that wait for a second account, or did.
CREATE TABLE pair_proposal (
  id       {key} PRIMARY KEY,
  a        {int} NOT NULL,                -- source records, as in the queue then
  b        {int} NOT NULL,
  x        {int} NOT NULL,                -- founders of their golden records then
  y        {int} NOT NULL,
  answer   {key} NOT NULL,                -- same | apart
  who      {key} NOT NULL,
  why      TEXT NOT NULL,
  at       {key} NOT NULL,
  ended    {key} NOT NULL DEFAULT '',
  state    {key} NOT NULL,                -- open | confirmed | withdrawn | overruled
  decision {key} NOT NULL DEFAULT ''
) {strict};
CREATE INDEX pair_proposal_open ON pair_proposal (x, y) WHERE state = 'open';

CREATE INDEX decision_who ON decision (who, seq);

-- Progress --------------------------------------------------------------

CREATE TABLE pair_work (
  x         {int} NOT NULL,               -- founders of the two golden records, the smaller first
  y         {int} NOT NULL,
  assigned  {key} NOT NULL,
  due       {key} NOT NULL,
  until     {key} NOT NULL,
  escalated {int} NOT NULL,
  PRIMARY KEY (x, y)
) {norowid};

-- The pairs that were chosen for an account and a day.
CREATE TABLE review_day (
  who     {key} NOT NULL,
  day     {key} NOT NULL,                 -- 2006-01-02, UTC
  entity  {key} NOT NULL,                 -- '' for all
  minutes {int} NOT NULL,
  seconds {int} NOT NULL,                 -- 1/1000 second for a decision
  body    TEXT NOT NULL,                  -- totals and curve then
  PRIMARY KEY (who, day, entity)
) {strict};

CREATE TABLE review_day_pair (
  day    {key} NOT NULL,
  a      {int} NOT NULL,
  b      {int} NOT NULL,
  who    {key} NOT NULL,
  entity {key} NOT NULL,                  -- of the set, '' for all
  n      {int} NOT NULL,
  damage {int} NOT NULL,                  -- when it was chosen
  PRIMARY KEY (day, a, b)                 -- of one account only
) {norowid};
CREATE INDEX review_day_pair_who ON review_day_pair (who, day, entity, n);

-- One answer to many pairs.
CREATE TABLE bulk_job (
  id      {key} PRIMARY KEY,
  answer  {key} NOT NULL,
  who     {key} NOT NULL,
  why     TEXT NOT NULL,
  query   TEXT NOT NULL,                  -- the question, as JSON
  state   {key} NOT NULL,                 -- running | stopped | done | undoing | undone
  at      {key} NOT NULL,
  ended   {key} NOT NULL DEFAULT '',
  problem TEXT NOT NULL DEFAULT '',
  undo    {key} NOT NULL DEFAULT ''
) {strict};
CREATE INDEX bulk_job_state ON bulk_job (state, at);

CREATE TABLE bulk_pair (
  job      {key} NOT NULL,
  n        {int} NOT NULL,
  a        {int} NOT NULL,
  b        {int} NOT NULL,
  seen     {key} NOT NULL,
  state    {key} NOT NULL,                -- waiting | decided | skipped
  decision {key} NOT NULL DEFAULT '',
  PRIMARY KEY (job, n)
) {norowid};
CREATE INDEX bulk_pair_waiting ON bulk_pair (job, state, n);

-- +goose Down
DROP TABLE bulk_pair;
DROP TABLE bulk_job;
DROP TABLE review_day_pair;
DROP TABLE review_day;
DROP TABLE pair_work;
DROP INDEX decision_who;
DROP TABLE pair_proposal;
DROP TABLE pair_note;
DROP TABLE queue_backlog;
DROP TABLE queue;
