-- Who is refreshing a connection right now, and how the last tries went.
--
-- A lease is an owner (one process) and a beat that grows while the owner's request is under way. Others watch it with
-- their own stopwatch: a beat that stands still belongs to a process that died. No clock is compared with another.
ALTER TABLE connections ADD COLUMN lease_owner TEXT;
ALTER TABLE connections ADD COLUMN lease_beat BIGINT NOT NULL DEFAULT 0;
-- When the present refresh token was first shown to Linear. Set: the outcome is not known, the same token is shown again.
ALTER TABLE connections ADD COLUMN attempt_began_at BIGINT;
ALTER TABLE connections ADD COLUMN failures BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN next_attempt_at BIGINT;
-- Replies in a row that lacked a refresh token.
ALTER TABLE connections ADD COLUMN untokened BIGINT NOT NULL DEFAULT 0;
ALTER TABLE connections ADD COLUMN refresh_error_code TEXT;
ALTER TABLE connections ADD COLUMN refresh_error_status BIGINT;
ALTER TABLE connections ADD COLUMN refresh_error_at BIGINT;
-- The generation that a person's consent brought; later ones come from refreshing.
ALTER TABLE connections ADD COLUMN adopted_generation BIGINT NOT NULL DEFAULT 0;
UPDATE connections SET adopted_generation = generation;
CREATE INDEX connections_by_expiry ON connections (state, expires_at);

-- What became of each generation's refreshes. Tries with the same outcome share a line.
CREATE TABLE refresh_attempts (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    generation BIGINT NOT NULL,
    outcome TEXT NOT NULL,
    code TEXT NOT NULL,
    cause TEXT NOT NULL,
    status BIGINT,
    tries BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    took_ms BIGINT NOT NULL,
    PRIMARY KEY (connection_id, generation, outcome, code)
);
CREATE INDEX refresh_attempts_by_age ON refresh_attempts (last_at);
