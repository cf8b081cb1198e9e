-- Link codes: an admin says which Linear person somebody is, and whoever holds the code agrees or not.
CREATE TABLE invites (
    id TEXT PRIMARY KEY,
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    -- Linear's ids, and what people are called there.
    workspace_id TEXT NOT NULL,
    linear_id TEXT NOT NULL,
    linear_name TEXT NOT NULL,
    linear_email TEXT NOT NULL,
    linear_avatar_url TEXT,
    code_hash TEXT NOT NULL UNIQUE,
    -- Absent when it was made by command.
    made_by TEXT REFERENCES users (id),
    made_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    -- When somebody first looked at what it says.
    opened_at BIGINT,
    -- linked, declined, refused (another member is that person), revoked or replaced; absent while it can be used.
    ended TEXT,
    ended_at BIGINT
);
CREATE INDEX invites_by_person ON invites (organisation_id, workspace_id, linear_id);
CREATE INDEX invites_by_end ON invites (organisation_id, ended_at);

-- Who is who: one member for each person of a workspace, and one person for each member.
CREATE TABLE people (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    workspace_id TEXT NOT NULL,
    linear_id TEXT NOT NULL,
    user_id TEXT NOT NULL REFERENCES users (id),
    linear_name TEXT NOT NULL,
    linear_email TEXT NOT NULL,
    linked_at BIGINT NOT NULL,
    -- Who said so beside the member; absent when it was by command.
    linked_by TEXT REFERENCES users (id),
    PRIMARY KEY (organisation_id, workspace_id, linear_id),
    UNIQUE (organisation_id, workspace_id, user_id)
);

-- Who did what, for ever. Each line carries the hash of itself and of the one before.
CREATE TABLE audit (
    organisation_id TEXT NOT NULL REFERENCES organisations (id),
    number BIGINT NOT NULL,
    at BIGINT NOT NULL,
    -- Absent for commands, and for people who have no account.
    user_id TEXT,
    who TEXT NOT NULL,
    act TEXT NOT NULL,
    subject TEXT NOT NULL,
    address TEXT NOT NULL,
    hash TEXT NOT NULL,
    PRIMARY KEY (organisation_id, number)
);

-- The last line of each organisation. Whoever writes the next one holds it until the transaction ends.
CREATE TABLE audit_heads (
    organisation_id TEXT PRIMARY KEY REFERENCES organisations (id),
    number BIGINT NOT NULL,
    hash TEXT NOT NULL
);
