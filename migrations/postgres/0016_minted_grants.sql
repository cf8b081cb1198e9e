-- Pairs that Linear minted for a code, from before anybody asks whose they are. Whoever adopts one takes it out in the same
-- transaction; what was released, or left lying by a process that died, is given back.
CREATE TABLE minted_grants (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    client_id TEXT NOT NULL,
    -- Linear's organization id, where Linear said it.
    workspace_id TEXT,
    -- The connection that it was meant for.
    connection_id TEXT,
    access_sealed BYTEA NOT NULL,
    refresh_sealed BYTEA,
    minted_at BIGINT NOT NULL,
    -- From here on nobody adopts it.
    released BOOLEAN NOT NULL DEFAULT FALSE,
    tried_at BIGINT NOT NULL
);
