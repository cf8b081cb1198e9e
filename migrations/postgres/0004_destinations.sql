-- Where an organisation has its deliveries handed on to.
CREATE TABLE destinations (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    url TEXT NOT NULL,
    -- Types of events, separated by spaces; empty for all.
    events TEXT NOT NULL,
    -- Events about the same issue go one after the other.
    ordered BOOLEAN NOT NULL,
    secret_sealed BYTEA NOT NULL,
    last_four TEXT NOT NULL,
    -- Nothing is sent while it is paused; what comes meanwhile waits.
    paused_at BIGINT,
    paused_because TEXT,
    failing_since BIGINT,
    -- A destination that takes nothing is left alone until then.
    next_at BIGINT NOT NULL DEFAULT 0,
    last_status BIGINT,
    last_answer TEXT,
    last_at BIGINT,
    last_ok_at BIGINT,
    created_by TEXT REFERENCES users (id),
    created_at BIGINT NOT NULL
);
CREATE INDEX destinations_by_organisation ON destinations (organisation_id);

-- A delivery on its way to a destination. Written in the transaction that stores the delivery, so that none is forgotten.
CREATE TABLE messages (
    destination_id TEXT NOT NULL,
    seq BIGINT NOT NULL,
    -- Empty where order is not asked for.
    entity TEXT NOT NULL,
    -- waiting, sent or parked.
    state TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    first_at BIGINT,
    next_at BIGINT NOT NULL,
    claimed_by TEXT,
    last_status BIGINT,
    last_answer TEXT,
    last_at BIGINT,
    PRIMARY KEY (seq, destination_id)
);
CREATE INDEX messages_waiting ON messages (destination_id, seq) WHERE state = 'waiting';
CREATE INDEX messages_in_order ON messages (destination_id, entity, seq) WHERE state = 'waiting' AND entity <> '';
CREATE INDEX messages_unsent ON messages (destination_id, state) WHERE state <> 'sent';
CREATE INDEX messages_claimed ON messages (claimed_by) WHERE claimed_by IS NOT NULL;

-- Processes that hold claims, and whether they are alive: the beat grows.
CREATE TABLE processes (
    owner TEXT PRIMARY KEY,
    beat BIGINT NOT NULL
);
