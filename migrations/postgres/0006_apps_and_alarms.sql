-- Linear OAuth apps of organisations, beside the operator's.
CREATE TABLE apps (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    client_id TEXT NOT NULL,
    client_secret_sealed BYTEA,
    -- Signs deliveries of the app's own webhook. The one before is accepted for a while: Linear's retries are signed with it.
    webhook_secret_sealed BYTEA,
    webhook_secret_before_sealed BYTEA,
    webhook_secret_before_until BIGINT,
    added_by TEXT REFERENCES users (id),
    added_at BIGINT NOT NULL,
    UNIQUE (organisation_id, client_id)
);

-- Absent for the operator's app.
ALTER TABLE connections ADD COLUMN app_id TEXT REFERENCES apps (id);
CREATE INDEX connections_by_app ON connections (app_id);
ALTER TABLE connect_attempts ADD COLUMN app_id TEXT REFERENCES apps (id);

-- For which of its breaks somebody was told by e-mail: that one's state_since.
ALTER TABLE connections ADD COLUMN alarmed_for BIGINT;
