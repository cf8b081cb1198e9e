-- How it is known that an account's e-mail is its holder's: founder (the first owner), operator (added by command), mail (a code
-- sent there), linear (Linear says so), or earlier (it was there before anybody asked). Absent where a link code made the
-- account, which an admin may have handed to anybody.
ALTER TABLE users ADD COLUMN email_proof TEXT;
UPDATE users SET email_proof = 'earlier'
    WHERE created_at NOT IN (SELECT at FROM audit WHERE act = 'person.linked' AND who = 'holder of the code');

-- When an owner of this organisation vouched for a member whose e-mail nobody proved.
ALTER TABLE members ADD COLUMN vouched_at BIGINT;

CREATE TRIGGER members_vouch_changes AFTER UPDATE OF vouched_at ON members FOR EACH ROW
    WHEN (NEW.vouched_at IS DISTINCT FROM OLD.vouched_at)
    EXECUTE FUNCTION note_change('people');
CREATE FUNCTION note_proof() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (organisation_id, topic) SELECT organisation_id, 'people' FROM members WHERE user_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER users_proof_changes AFTER UPDATE OF email_proof ON users FOR EACH ROW
    WHEN (NEW.email_proof IS DISTINCT FROM OLD.email_proof)
    EXECUTE FUNCTION note_proof();

-- Codes that were sent to an account's own address. One for each account.
CREATE TABLE email_codes (
    user_id TEXT PRIMARY KEY,
    code_hash TEXT NOT NULL,
    expires_at BIGINT NOT NULL
);

-- People on their way through Linear's consent page to say who they are.
CREATE TABLE proof_attempts (
    state_hash TEXT PRIMARY KEY,
    browser_hash TEXT NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    -- Absent where nobody was signed in.
    user_id TEXT,
    -- Through whose app they went, and for which workspace.
    connection_id TEXT NOT NULL,
    app_id TEXT,
    -- Linear's id of who they have to be; absent where they may be anybody.
    linear_id TEXT,
    -- Of the link code that is redeemed by it.
    code_hash TEXT,
    verifier_sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX proof_attempts_by_expiry ON proof_attempts (expires_at);
