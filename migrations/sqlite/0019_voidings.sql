-- Revocations that are under way at Linear. A consent of the same app and workspace waits for their end: nobody says whether
-- revoking one token ends the app's whole installation in that workspace. A row that is gone lets nothing be sent any more.
CREATE TABLE voidings (
    id TEXT PRIMARY KEY,
    -- Of the Linear app; any if absent.
    client_id TEXT,
    -- Linear's organization id; any if absent.
    workspace_id TEXT,
    began_at BIGINT NOT NULL
);
