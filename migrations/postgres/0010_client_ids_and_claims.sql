-- The client id of the Linear app that a connection's tokens were given to: no other app can refresh them. Absent where
-- nobody has learnt it yet; the next refresh that works does.
ALTER TABLE connections ADD COLUMN client_id TEXT;
UPDATE connections SET client_id = (SELECT client_id FROM apps WHERE apps.id = connections.app_id) WHERE app_id IS NOT NULL;
-- The same of a pair that was set aside; absent: the connection's.
ALTER TABLE superseded_grants ADD COLUMN client_id TEXT;

-- Claims are written whether or not workspaces may be shared, and whoever came first has one: so the operator may change
-- that at any time.
INSERT INTO workspace_claims (workspace_id, organisation_id)
SELECT c.workspace_id, c.organisation_id FROM connections c
WHERE c.state <> 'disconnected'
  AND NOT EXISTS (SELECT 1 FROM workspace_claims w WHERE w.workspace_id = c.workspace_id)
  AND NOT EXISTS (
    SELECT 1 FROM connections o
    WHERE o.workspace_id = c.workspace_id AND o.state <> 'disconnected' AND (o.connected_at, o.id) < (c.connected_at, c.id)
  );
