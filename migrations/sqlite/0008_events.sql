-- Which events were taken, for as long as Linear may send them again. Small, so that deliveries can really go.
CREATE TABLE delivery_digests (
    seq INTEGER PRIMARY KEY,
    -- When it happened (six bytes: it keeps new rows together) and SHA-256 of what all webhooks say of it, cut to sixteen.
    -- 32 bytes: SHA-256 of a body that came before there was this table.
    digest BLOB NOT NULL UNIQUE,
    at BIGINT NOT NULL
);
INSERT INTO delivery_digests (seq, digest, at)
    SELECT seq, digest, received_at FROM deliveries WHERE received_at > (SELECT MAX(received_at) FROM deliveries) - 32400000
    ON CONFLICT DO NOTHING;

-- Rows that had lost their body.
DELETE FROM delivery_recipients WHERE seq <= (SELECT pruned_to FROM delivery_log);
DELETE FROM messages WHERE seq <= (SELECT pruned_to FROM delivery_log);
DELETE FROM deliveries WHERE seq <= (SELECT pruned_to FROM delivery_log);

-- One row. What is kept is delivery_log.bytes less this: whoever forgets does not hold the row that whoever stores needs.
CREATE TABLE delivery_space (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    freed BIGINT NOT NULL
);
INSERT INTO delivery_space (id, freed) VALUES (1, 0);

-- Bytes that it takes, with all that goes with it; absent where its body alone is counted.
ALTER TABLE deliveries ADD COLUMN weight BIGINT;
-- The webhooks that it came through: "webhook/secret", separated by spaces. Empty where that was not noted.
ALTER TABLE deliveries ADD COLUMN through TEXT NOT NULL DEFAULT '';

-- The highest one is current. The others retire once it has verified something.
ALTER TABLE webhook_secrets ADD COLUMN rank BIGINT NOT NULL DEFAULT 0;
UPDATE webhook_secrets SET rank = added_at;
UPDATE webhook_secrets SET rank = (SELECT MAX(o.added_at) + 1 FROM webhook_secrets o WHERE o.connection_id = webhook_secrets.connection_id)
    WHERE retires_at IS NULL;
-- What has verified something stays as long as the one after it has not.
UPDATE webhook_secrets SET retires_at = NULL WHERE retires_at > CAST(strftime('%s', 'now') AS INTEGER) * 1000 AND matched_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM webhook_secrets o WHERE o.connection_id = webhook_secrets.connection_id AND o.retires_at IS NULL AND o.matched_at IS NULL);

-- When the app's present webhook secret verified something first; absent until then. The one before retires after that.
ALTER TABLE apps ADD COLUMN webhook_secret_matched_at BIGINT;
-- Linear's id of the application, which some events name in place of the client id.
ALTER TABLE apps ADD COLUMN application_id TEXT;

-- Requests with Linear's signature that came to an address where nothing takes them, by the hour.
CREATE TABLE webhook_strays (
    path TEXT NOT NULL,
    hour BIGINT NOT NULL,
    came BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (path, hour)
);

-- How long tries have been failing, added up from one to the next: no single clock says so.
ALTER TABLE destinations ADD COLUMN failing_for BIGINT NOT NULL DEFAULT 0;
-- Messages that waited until their deliveries were kept no more.
ALTER TABLE destinations ADD COLUMN given_up BIGINT NOT NULL DEFAULT 0;

DROP INDEX messages_waiting;
CREATE INDEX messages_due ON messages (destination_id, next_at, seq) WHERE state = 'waiting' AND claimed_by IS NULL AND entity = '';
