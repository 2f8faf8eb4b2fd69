-- +goose Up

-- Progress: which account a person of an identity provider has. Issuer and
-- subject name a person for good; a login name may pass on to somebody else.
CREATE TABLE account_identity (
  issuer  {key} NOT NULL,
  subject {key} NOT NULL,
  account {key} NOT NULL,
  PRIMARY KEY (issuer, subject)
) {strict};
CREATE INDEX account_identity_account ON account_identity (account);

-- +goose Down
DROP TABLE account_identity;
