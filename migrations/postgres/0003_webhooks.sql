-- Signing secrets of a workspace's own webhooks. The OAuth app's is in the environment.
CREATE TABLE webhook_secrets (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    connection_id TEXT NOT NULL REFERENCES connections (id),
    secret_sealed BYTEA NOT NULL,
    last_four TEXT NOT NULL,
    added_by TEXT REFERENCES users (id),
    added_at BIGINT NOT NULL,
    -- Not accepted any more from then on; the one without is the current one.
    retires_at BIGINT,
    matched_at BIGINT
);
CREATE INDEX webhook_secrets_by_connection ON webhook_secrets (connection_id);

-- One row. Numbers are given out in the order of commits: whoever raises it holds it until the transaction ends.
CREATE TABLE delivery_log (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    last BIGINT NOT NULL,
    -- Of the bodies that are kept.
    bytes BIGINT NOT NULL,
    -- Up to here the bodies went to make room. The rest of a row stays while Linear may send it again.
    pruned_to BIGINT NOT NULL
);
INSERT INTO delivery_log (id, last, bytes, pruned_to) VALUES (1, 0, 0, 0);

-- Webhooks whose signature was right, as they came. A body is stored once for each workspace.
CREATE TABLE deliveries (
    seq BIGINT PRIMARY KEY,
    workspace_id TEXT NOT NULL,
    digest BYTEA NOT NULL,
    outcome TEXT NOT NULL,
    event TEXT NOT NULL,
    action TEXT NOT NULL,
    -- What people call the thing it is about, who did it, and what keeps its events in order.
    subject TEXT NOT NULL,
    actor TEXT NOT NULL,
    entity TEXT NOT NULL,
    -- Linear's own headers, as JSON.
    headers TEXT NOT NULL,
    delivery_id TEXT,
    -- Empty for the app's own secret.
    secret_id TEXT NOT NULL,
    webhook_timestamp BIGINT NOT NULL,
    received_at BIGINT NOT NULL,
    took_us BIGINT NOT NULL,
    repeats BIGINT NOT NULL DEFAULT 0,
    repeated_at BIGINT,
    -- It speaks of the connection itself, and that is still to be acted on.
    to_do BOOLEAN NOT NULL,
    body BYTEA NOT NULL,
    -- The same body has the same timestamp: in front, it keeps new rows together in the index.
    UNIQUE (webhook_timestamp, digest, workspace_id)
);
CREATE INDEX deliveries_by_workspace ON deliveries (workspace_id, seq);
CREATE INDEX deliveries_to_do ON deliveries (seq) WHERE to_do;

-- Whose a delivery is: of every organisation that the workspace was connected to when it came.
CREATE TABLE delivery_recipients (
    organisation_id TEXT NOT NULL,
    -- The order in which the organisation hears of its deliveries: seq, or later for one who came to it later.
    number BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, number)
);
CREATE INDEX delivery_recipients_late ON delivery_recipients (organisation_id, seq) WHERE number <> seq;

-- Requests that were refused, counted by the hour. Only those that name a workspace which somebody here has.
CREATE TABLE webhook_refusals (
    workspace_id TEXT NOT NULL,
    hour BIGINT NOT NULL,
    cause TEXT NOT NULL,
    -- The secret that would have matched, if it is known here.
    secret_id TEXT NOT NULL,
    refused BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    PRIMARY KEY (workspace_id, hour, cause, secret_id)
);
