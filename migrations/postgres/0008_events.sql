-- Which events were taken, for as long as Linear may send them again. Small, so that deliveries can really go.
CREATE TABLE delivery_digests (
    seq BIGINT PRIMARY KEY,
    -- When it happened (six bytes: it keeps new rows together) and SHA-256 of what all webhooks say of it, cut to sixteen.
    -- 32 bytes: SHA-256 of a body that came before there was this table.
    digest BYTEA NOT NULL UNIQUE,
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
UPDATE webhook_secrets SET retires_at = NULL WHERE retires_at > CAST(EXTRACT(EPOCH FROM now()) * 1000 AS BIGINT) AND matched_at IS NOT NULL
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

-- Where much comes and goes, room is made while it is little.
ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500, toast.autovacuum_vacuum_scale_factor = 0.02);
ALTER TABLE delivery_recipients SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
ALTER TABLE delivery_digests SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);
ALTER TABLE messages SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 500);

-- Stores deliveries, each event once. One call is one transaction, whole before anybody waits for the client again: whoever
-- gives out numbers holds the row that all others need. Answers a digit for each: 1 if somebody has it now who had not
-- before; and how many bytes are kept.
CREATE FUNCTION deliveries_put(items JSONB, bodies BYTEA[], OUT fresh TEXT, OUT kept BIGINT) LANGUAGE plpgsql AS $$
DECLARE
    base BIGINT;
    stored BIGINT[];
    added BIGINT;
    again RECORD;
    known BIGINT;
    heard BOOLEAN;
BEGIN
    UPDATE delivery_log SET last = last + cardinality(bodies) RETURNING last - cardinality(bodies) INTO base;

    WITH taken AS (
        INSERT INTO delivery_digests (seq, digest, at)
        SELECT base + x.i, decode(x.key, 'hex'), x.received_at
        FROM jsonb_to_recordset(items) AS x (i BIGINT, key TEXT, digest TEXT, received_at BIGINT)
        WHERE NOT EXISTS (SELECT 1 FROM delivery_digests g WHERE g.digest = decode(x.digest, 'hex'))
        ORDER BY x.i ON CONFLICT DO NOTHING RETURNING seq
    ), put AS (
        INSERT INTO deliveries (seq, workspace_id, digest, outcome, event, action, subject, actor, entity, headers, delivery_id, secret_id,
            webhook_timestamp, received_at, took_us, to_do, weight, through, body)
        SELECT taken.seq, x.workspace, decode(x.digest, 'hex'), x.outcome, x.event, x.action, x.subject, x.actor, x.entity, x.headers,
            x.delivery_id, x.secret, x.sent_at, x.received_at, x.took_us, x.to_do, x.weight, x.through, bodies[x.i]
        FROM jsonb_to_recordset(items) AS x (i BIGINT, workspace TEXT, digest TEXT, outcome TEXT, event TEXT, action TEXT, subject TEXT,
            actor TEXT, entity TEXT, headers TEXT, delivery_id TEXT, secret TEXT, sent_at BIGINT, received_at BIGINT, took_us BIGINT,
            to_do BOOLEAN, weight BIGINT, through TEXT)
        JOIN taken ON taken.seq = base + x.i
        ORDER BY x.i ON CONFLICT DO NOTHING RETURNING deliveries.seq, deliveries.weight
    )
    SELECT COALESCE(array_agg(put.seq), '{}'), COALESCE(SUM(put.weight), 0) INTO stored, added FROM put;

    INSERT INTO delivery_recipients (organisation_id, number, seq)
    SELECT r ->> 'organisation', base + x.i, base + x.i
    FROM jsonb_to_recordset(items) AS x (i BIGINT, recipients JSONB), jsonb_array_elements(x.recipients) r
    WHERE base + x.i = ANY (stored);

    INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at)
    SELECT m ->> 0, base + x.i, m ->> 1, 'waiting', 0, 0
    FROM jsonb_to_recordset(items) AS x (i BIGINT, recipients JSONB), jsonb_array_elements(x.recipients) r,
        jsonb_array_elements(r -> 'messages') m
    WHERE base + x.i = ANY (stored);

    fresh := '';
    FOR again IN
        SELECT * FROM jsonb_to_recordset(items) AS x (i BIGINT, key TEXT, digest TEXT, received_at BIGINT, to_do BOOLEAN, through TEXT,
            recipients JSONB) ORDER BY x.i
    LOOP
        heard := base + again.i = ANY (stored);
        IF NOT heard THEN
            -- One that is being forgotten right now is not waited for.
            SELECT d.seq INTO known FROM deliveries d WHERE d.seq IN (SELECT g.seq FROM delivery_digests g
                WHERE g.digest IN (decode(again.key, 'hex'), decode(again.digest, 'hex'))) LIMIT 1 FOR UPDATE SKIP LOCKED;
            IF FOUND THEN
                WITH late AS (
                    INSERT INTO delivery_recipients (organisation_id, number, seq)
                    SELECT r ->> 'organisation', base + again.i, known FROM jsonb_array_elements(again.recipients) r
                    WHERE NOT EXISTS (SELECT 1 FROM delivery_recipients p WHERE p.organisation_id = r ->> 'organisation'
                        AND (p.number = known OR (p.seq = known AND p.number <> p.seq)))
                    RETURNING organisation_id
                ), sent AS (
                    INSERT INTO messages (destination_id, seq, entity, state, attempts, next_at)
                    SELECT m ->> 0, known, m ->> 1, 'waiting', 0, 0
                    FROM jsonb_array_elements(again.recipients) r JOIN late ON late.organisation_id = r ->> 'organisation',
                        jsonb_array_elements(r -> 'messages') m
                    ON CONFLICT DO NOTHING
                )
                SELECT COUNT(*) > 0 INTO heard FROM late;
                UPDATE deliveries SET repeats = repeats + 1, repeated_at = again.received_at, to_do = to_do OR (heard AND again.to_do),
                    through = CASE WHEN ' ' || through || ' ' LIKE '% ' || again.through || ' %' OR length(through) > 1000 THEN through
                        ELSE ltrim(through || ' ' || again.through) END
                WHERE seq = known;
            END IF;
        END IF;
        fresh := fresh || CASE WHEN heard THEN '1' ELSE '0' END;
    END LOOP;

    UPDATE delivery_log SET bytes = bytes + added RETURNING bytes - (SELECT freed FROM delivery_space) INTO kept;
END
$$;
