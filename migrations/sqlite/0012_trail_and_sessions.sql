-- The end of each audit trail is sealed with the trail's key; empty: not carried over yet. The other column has a new name so
-- that an older version, which would write lines without the key, cannot write any.
ALTER TABLE audit_heads RENAME COLUMN hash TO last_hash;
ALTER TABLE audit_heads ADD COLUMN seal TEXT NOT NULL DEFAULT '';

-- Where and when a session was used last. Absent: not since this was noted.
ALTER TABLE sessions ADD COLUMN used_at BIGINT;
ALTER TABLE sessions ADD COLUMN browser TEXT;
ALTER TABLE sessions ADD COLUMN address TEXT;

-- Absent when it was made by command. The trail knows who made the older ones.
ALTER TABLE api_keys ADD COLUMN made_by TEXT REFERENCES users (id);
UPDATE api_keys SET made_by = (
    SELECT MIN(u.id) FROM audit a JOIN users u ON u.id = a.user_id
    WHERE a.organisation_id = api_keys.organisation_id AND a.act = 'key.made' AND a.at = api_keys.created_at
      AND a.subject = api_keys.name || ' ····' || api_keys.last_four
);

-- When the trail last said that a key read the token of a connection.
CREATE TABLE token_reads (
    key_id TEXT NOT NULL,
    connection_id TEXT NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (key_id, connection_id)
);
