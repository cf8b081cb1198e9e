-- Times are milliseconds since the Unix epoch. Columns that end in _sealed only the vault can read.

CREATE TABLE meta (
    key TEXT PRIMARY KEY,
    value BYTEA NOT NULL
);

CREATE TABLE organisations (
    id TEXT PRIMARY KEY,
    slug TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at BIGINT NOT NULL
);

CREATE TABLE users (
    id TEXT PRIMARY KEY,
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    password_hash TEXT,
    created_at BIGINT NOT NULL
);

CREATE TABLE members (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    role TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (organisation_id, user_id)
);
CREATE INDEX members_by_user ON members (user_id);

CREATE TABLE sessions (
    id_hash TEXT PRIMARY KEY,
    user_id TEXT,
    data BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX sessions_by_user ON sessions (user_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);

-- Counted tries, for example of passwords: key names what is counted, hashed.
CREATE TABLE throttles (
    key TEXT PRIMARY KEY,
    tries BIGINT NOT NULL,
    resets_at BIGINT NOT NULL
);

CREATE TABLE api_keys (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    name TEXT NOT NULL,
    key_hash TEXT NOT NULL UNIQUE,
    last_four TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    last_used_at BIGINT,
    revoked_at BIGINT
);
CREATE INDEX api_keys_by_organisation ON api_keys (organisation_id);

-- A person on the way through Linear's consent page.
CREATE TABLE connect_attempts (
    state_hash TEXT PRIMARY KEY,
    browser_hash TEXT NOT NULL,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    user_id TEXT NOT NULL REFERENCES users (id),
    connection_id TEXT,
    actor TEXT NOT NULL,
    scopes TEXT NOT NULL,
    verifier_sealed BYTEA NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX connect_attempts_by_expiry ON connect_attempts (expires_at);

CREATE TABLE connections (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    workspace_id TEXT NOT NULL,
    workspace_name TEXT NOT NULL,
    workspace_url_key TEXT NOT NULL,
    workspace_logo_url TEXT,
    actor TEXT NOT NULL,
    viewer_id TEXT NOT NULL,
    viewer_name TEXT NOT NULL,
    scopes TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    state_since BIGINT NOT NULL,
    evidence TEXT,
    -- The grant. Each pair of tokens is one generation; whoever writes names the generation that was read.
    generation BIGINT NOT NULL,
    access_sealed BYTEA,
    refresh_sealed BYTEA,
    fingerprint TEXT,
    issued_at BIGINT,
    expires_at BIGINT,
    connected_by TEXT NOT NULL REFERENCES users (id),
    connected_at BIGINT NOT NULL,
    disconnected_by TEXT REFERENCES users (id),
    tokens_revoked BOOLEAN NOT NULL DEFAULT FALSE,
    last_verified_at BIGINT,
    last_error_code TEXT,
    last_error_status BIGINT,
    last_error_at BIGINT,
    UNIQUE (organisation_id, workspace_id)
);
CREATE INDEX connections_by_workspace ON connections (workspace_id);

-- Pairs that a new consent took the place of. Linear still honours them, so they are revoked with the connection's end.
CREATE TABLE superseded_grants (
    connection_id TEXT NOT NULL REFERENCES connections (id),
    generation BIGINT NOT NULL,
    access_sealed BYTEA NOT NULL,
    refresh_sealed BYTEA,
    PRIMARY KEY (connection_id, generation)
);

-- Which organisation holds a workspace. Unused where workspaces may be shared.
CREATE TABLE workspace_claims (
    workspace_id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id)
);
