-- +goose Up

-- Facts -----------------------------------------------------------------

CREATE TABLE setting (
  name  {key} PRIMARY KEY,
  value TEXT NOT NULL
) {strict};

-- One row, locked for the length of a landing: numbers are in commit order.
CREATE TABLE counter (
  name  {key} PRIMARY KEY,
  value {int} NOT NULL
) {strict};
INSERT INTO counter (name, value) VALUES ('fact', 0);

CREATE TABLE source (
  uid  {key} PRIMARY KEY,
  name {key} NOT NULL UNIQUE
) {strict};

CREATE TABLE source_record (
  rec         {int} PRIMARY KEY,          -- landing number
  source      {key} NOT NULL,             -- uid
  entity      {key} NOT NULL,
  external_id {key} NOT NULL,
  anchor      {key} NOT NULL,
  salt        {bytes},                    -- of the data key; NULL when erased
  version     {int} NOT NULL,             -- the current version by the source's own order
  latest      {int} NOT NULL,             -- the last one landed
  hash        {bytes} NOT NULL,           -- of the current version
  stamp       {key} NOT NULL,             -- of the current version
  etag        TEXT NOT NULL,              -- last one seen, also when the content did not change
  deleted     {int} NOT NULL,
  UNIQUE (source, entity, external_id)
) {strict};

CREATE INDEX source_record_anchor ON source_record (anchor);

CREATE TABLE source_version (
  rec     {int} NOT NULL,
  version {int} NOT NULL,
  seq     {int} NOT NULL,                 -- fact number
  raw     {bytes} NOT NULL,               -- sealed
  hash    {bytes} NOT NULL,
  stamp   {key} NOT NULL,
  etag    TEXT NOT NULL,
  seen_at {key} NOT NULL,
  deleted {int} NOT NULL,
  place   TEXT NOT NULL,
  problem TEXT NOT NULL,                  -- why it could not be read; '' for a good one
  PRIMARY KEY (rec, version)
) {strict};

CREATE TABLE ruling (
  id        {key} PRIMARY KEY,
  kind      {key} NOT NULL,               -- must | cannot | pin
  a         {int} NOT NULL,
  b         {int} NOT NULL,               -- 0 for a pin
  field     TEXT NOT NULL,
  value     TEXT NOT NULL,
  who       TEXT NOT NULL,
  why       TEXT NOT NULL,
  at        {key} NOT NULL,
  withdrawn {key} NOT NULL DEFAULT ''
) {strict};
CREATE INDEX ruling_a ON ruling (a);
CREATE INDEX ruling_b ON ruling (b);

CREATE TABLE model (
  entity  {key} NOT NULL,
  version {key} NOT NULL,
  body    TEXT NOT NULL,
  active  {int} NOT NULL,
  at      {key} NOT NULL,
  PRIMARY KEY (entity, version)
) {strict};

CREATE TABLE quarantine (
  id       {key} PRIMARY KEY,
  rec      {int} NOT NULL,
  version  {int} NOT NULL,
  source   {key} NOT NULL,
  entity   {key} NOT NULL,
  external_id {key} NOT NULL,
  reasons  {bytes} NOT NULL,            -- sealed: they quote values
  state    {key} NOT NULL,                -- open | released | superseded | mended
  at       {key} NOT NULL,
  who      TEXT NOT NULL DEFAULT '',
  why      TEXT NOT NULL DEFAULT '',
  UNIQUE (rec, version)
) {strict};
CREATE INDEX quarantine_state ON quarantine (state, at);

CREATE TABLE approval (
  target  {key} NOT NULL,
  rules   {key} NOT NULL,                 -- hash of mapping, ownership and policy
  upto    {int} NOT NULL,                 -- last outbox row it covers for the brake
  who     TEXT NOT NULL,
  why     TEXT NOT NULL,
  at      {key} NOT NULL,
  PRIMARY KEY (target, rules, at)
) {strict};

-- Derived ---------------------------------------------------------------

CREATE TABLE feature (
  rec       {int} PRIMARY KEY,
  entity    {key} NOT NULL,
  version   {int} NOT NULL,               -- the version whose values are in force
  seq       {int} NOT NULL,               -- grows with every derivation
  live      {int} NOT NULL,               -- 0: deleted at the source, keeps identity, gives no values
  authored  TEXT NOT NULL,                -- field → value, since, version
  features  {bytes} NOT NULL,
  published {bytes} NOT NULL              -- blocking keys in blocking_key
) {strict};

CREATE TABLE blocking_key (
  key  {int} NOT NULL,
  fine {int} NOT NULL,
  rec  {int} NOT NULL,
  PRIMARY KEY (key, fine, rec)
) {norowid};

CREATE TABLE match (
  a       {int} NOT NULL,
  b       {int} NOT NULL,
  weight  {int} NOT NULL,                 -- 1/1000 bit
  pattern {int} NOT NULL,
  model   {key} NOT NULL,
  PRIMARY KEY (a, b)
) {norowid};
CREATE INDEX match_b ON match (b);

CREATE TABLE bridge (
  a      {int} NOT NULL,
  b      {int} NOT NULL,
  weight {int} NOT NULL,
  PRIMARY KEY (a, b)
) {norowid};

CREATE TABLE crosswalk (
  rec    {int} PRIMARY KEY,
  comp   {int} NOT NULL,                  -- component: the unit that is locked
  golden {int} NOT NULL                   -- founder's landing number
) {strict};
CREATE INDEX crosswalk_comp ON crosswalk (comp);
CREATE INDEX crosswalk_golden ON crosswalk (golden);

CREATE TABLE golden (
  founder    {int} PRIMARY KEY,
  id         {key} NOT NULL UNIQUE,
  entity     {key} NOT NULL,
  fields     TEXT NOT NULL,
  provenance TEXT NOT NULL,
  members    {int} NOT NULL,
  live       {int} NOT NULL,
  version    {int} NOT NULL,
  changed_at {key} NOT NULL
) {strict};
CREATE INDEX golden_changed ON golden (changed_at, founder);

-- History of what was published: it refers, it does not copy.
CREATE TABLE golden_version (
  founder {int} NOT NULL,
  version {int} NOT NULL,
  at      {key} NOT NULL,
  hash    {bytes} NOT NULL,
  refs    TEXT NOT NULL,
  PRIMARY KEY (founder, version)
) {strict};

-- Progress --------------------------------------------------------------

CREATE TABLE todo (
  rec   {int} PRIMARY KEY,
  stage {int} NOT NULL,                   -- 1 derive again, 2 resolve
  entity {key} NOT NULL,
  seq   {int} NOT NULL
) {strict};

CREATE TABLE cursor (
  source {key} NOT NULL,
  entity {key} NOT NULL,
  value  {bytes} NOT NULL,
  at     {key} NOT NULL,
  PRIMARY KEY (source, entity)
) {strict};

CREATE TABLE run (
  id        {key} PRIMARY KEY,
  source    {key} NOT NULL,
  entity    {key} NOT NULL,
  started   {key} NOT NULL,
  ended     {key} NOT NULL DEFAULT '',
  state     {key} NOT NULL,               -- running | done | failed
  error     TEXT NOT NULL DEFAULT '',
  pulled    {int} NOT NULL DEFAULT 0,
  stored    {int} NOT NULL DEFAULT 0,
  unchanged {int} NOT NULL DEFAULT 0,
  echo      {int} NOT NULL DEFAULT 0,
  quarantined {int} NOT NULL DEFAULT 0,
  filtered  {int} NOT NULL DEFAULT 0
) {strict};
CREATE INDEX run_source ON run (source, entity, started);

CREATE TABLE outbox (
  seq        {int} PRIMARY KEY,           -- fact number: the order of writes
  id         {key} NOT NULL UNIQUE,
  target     {key} NOT NULL,
  system     {key} NOT NULL,              -- uid of the source that is the target's other face
  entity     {key} NOT NULL,
  op         {key} NOT NULL,
  founder    {int} NOT NULL,
  rec        {int} NOT NULL,              -- the object as a source record; 0 until it is known
  external_id {key} NOT NULL,
  key        {key} NOT NULL,              -- external key of a create
  sealed_by  {int} NOT NULL,              -- the record whose data key seals the next three
  fields     {bytes} NOT NULL,            -- sealed: target path → value we want there
  base       {bytes} NOT NULL,            -- sealed: what stood there when it was planned
  got        {bytes} NOT NULL,            -- sealed: what the target made of it, as read back
  wanted     {bytes} NOT NULL,            -- hash of everything we want there
  refusal    {bytes} NOT NULL,            -- hash of what we want and what stands there
  precondition TEXT NOT NULL,
  state      {key} NOT NULL,
  attempt    {int} NOT NULL,
  sent_seq   {int} NOT NULL,              -- fact number taken before the first byte left
  sent_at    {key} NOT NULL,
  not_before {key} NOT NULL,
  zombie_until {key} NOT NULL,            -- a request with an unknown end may still land until then
  verified   {int} NOT NULL,              -- 1: read back equal to what was sent
  error      TEXT NOT NULL,
  at         {key} NOT NULL,
  settled_at {key} NOT NULL
) {strict};
CREATE INDEX outbox_state ON outbox (target, state, seq);
CREATE INDEX outbox_rec ON outbox (rec, target);
CREATE INDEX outbox_founder ON outbox (founder, target);
CREATE INDEX outbox_key ON outbox (key);
CREATE INDEX outbox_external ON outbox (external_id);

CREATE TABLE delivery (
  seq     {int} PRIMARY KEY,
  row     {key} NOT NULL,
  attempt {int} NOT NULL,
  at      {key} NOT NULL,
  request {bytes} NOT NULL,               -- hash
  outcome {key} NOT NULL,
  answer  TEXT NOT NULL,
  readback {bytes} NOT NULL               -- hash
) {strict};
CREATE INDEX delivery_row ON delivery (row);

CREATE TABLE target_state (
  target  {key} NOT NULL,
  rec     {int} NOT NULL,
  repr    {bytes} NOT NULL,               -- sealed: path → sent, got
  refused {bytes} NOT NULL,               -- hash of (wanted, theirs) that was refused
  PRIMARY KEY (target, rec)
) {strict};

CREATE TABLE audit (
  seq     {int} PRIMARY KEY,
  at      {key} NOT NULL,
  who     TEXT NOT NULL,
  what    {key} NOT NULL,
  subject {key} NOT NULL,
  before  {bytes} NOT NULL,
  after   {bytes} NOT NULL,
  mac     {bytes} NOT NULL
) {strict};

-- +goose Down
DROP TABLE audit;
