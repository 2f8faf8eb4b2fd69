-- +goose Up

-- Progress: people and programs that may ask. A rebuild leaves it alone, a
-- backup carries it. Times are in TimeLayout, '' for never.

CREATE TABLE account (
  id           {key} PRIMARY KEY,
  login        {key} NOT NULL UNIQUE,     -- in small letters
  name         TEXT NOT NULL,             -- shown to people
  role         {key} NOT NULL,
  state        {key} NOT NULL,            -- active, disabled
  hash         TEXT NOT NULL,             -- argon2id as a PHC string; '' where nobody can sign in by password
  must_change  {int} NOT NULL,            -- 1: the password was given by somebody else
  totp         {bytes} NOT NULL,          -- sealed key of the authenticator; empty for none
  salt         {bytes} NOT NULL,          -- of its data key
  totp_on      {int} NOT NULL,            -- 1: confirmed by a code, and asked for since
  totp_step    {int} NOT NULL,            -- of the last code that was used
  failed       {int} NOT NULL,            -- wrong passwords and codes in a row
  locked_until {key} NOT NULL,
  rights       {int} NOT NULL,            -- counts what ends sessions: another password, role or state
  created      {key} NOT NULL,
  signed_in    {key} NOT NULL
) {strict};

-- One-time codes for who has lost the authenticator.
CREATE TABLE recovery_code (
  account {key} NOT NULL,
  hash    {bytes} NOT NULL,               -- keyed
  PRIMARY KEY (account, hash)
) {strict};

CREATE TABLE web_session (
  hash    {bytes} PRIMARY KEY,            -- of the token that the browser has
  id      {key} NOT NULL UNIQUE,          -- to name it by
  account {key} NOT NULL,
  rights  {int} NOT NULL,                 -- of the account when it began
  created {key} NOT NULL,
  seen    {key} NOT NULL,
  ends    {key} NOT NULL,
  proved  {key} NOT NULL,                 -- when the password was last given
  agent   TEXT NOT NULL
) {strict};
CREATE INDEX web_session_account ON web_session (account);

CREATE TABLE api_token (
  id         {key} PRIMARY KEY,
  hash       {bytes} NOT NULL UNIQUE,
  shown      {key} NOT NULL,              -- how it begins
  name       TEXT NOT NULL,
  account    {key} NOT NULL,              -- whose it is; '' for a machine's
  role       {key} NOT NULL,              -- of a machine's; '' where the account says
  scopes     TEXT NOT NULL,               -- permissions with blanks between; '' for all of the role
  created    {key} NOT NULL,
  created_by {key} NOT NULL,
  expires    {key} NOT NULL,              -- '' for never
  used       {key} NOT NULL,
  revoked    {key} NOT NULL
) {strict};
CREATE INDEX api_token_account ON api_token (account);

-- +goose Down
DROP TABLE api_token;
DROP TABLE web_session;
DROP TABLE recovery_code;
DROP TABLE account;
