-- What changed, for pages that are open. Whoever watches goes on from the last number seen; old ones are forgotten.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    organisation_id TEXT NOT NULL,
    -- connections, deliveries or people.
    topic TEXT NOT NULL
);
CREATE INDEX changes_by_organisation ON changes (organisation_id, seq);

-- Leases, beats and proofs change nothing that is worth telling.
CREATE TRIGGER connections_insert_changes AFTER INSERT ON connections
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'connections'); END;
CREATE TRIGGER connections_update_changes AFTER UPDATE OF workspace_name, viewer_name, state, reason, evidence, generation, tokens_revoked, last_error_code, refresh_error_code, failures, next_attempt_at ON connections
    WHEN NEW.workspace_name IS NOT OLD.workspace_name OR NEW.viewer_name IS NOT OLD.viewer_name OR NEW.state IS NOT OLD.state OR NEW.reason IS NOT OLD.reason OR NEW.evidence IS NOT OLD.evidence OR NEW.generation IS NOT OLD.generation OR NEW.tokens_revoked IS NOT OLD.tokens_revoked OR NEW.last_error_code IS NOT OLD.last_error_code OR NEW.refresh_error_code IS NOT OLD.refresh_error_code OR NEW.failures IS NOT OLD.failures OR NEW.next_attempt_at IS NOT OLD.next_attempt_at
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'connections'); END;
CREATE TRIGGER connections_delete_changes AFTER DELETE ON connections
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, 'connections'); END;
CREATE TRIGGER webhook_secrets_insert_changes AFTER INSERT ON webhook_secrets
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'connections'); END;
CREATE TRIGGER webhook_secrets_update_changes AFTER UPDATE OF retires_at, matched_at ON webhook_secrets
    WHEN NEW.retires_at IS NOT OLD.retires_at OR NEW.matched_at IS NOT OLD.matched_at
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'connections'); END;
CREATE TRIGGER webhook_secrets_delete_changes AFTER DELETE ON webhook_secrets
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, 'connections'); END;
CREATE TRIGGER destinations_insert_changes AFTER INSERT ON destinations
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'deliveries'); END;
CREATE TRIGGER destinations_update_changes AFTER UPDATE OF paused_at, failing_since, last_status ON destinations
    WHEN NEW.paused_at IS NOT OLD.paused_at OR NEW.failing_since IS NOT OLD.failing_since OR NEW.last_status IS NOT OLD.last_status
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'deliveries'); END;
CREATE TRIGGER destinations_delete_changes AFTER DELETE ON destinations
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, 'deliveries'); END;
CREATE TRIGGER invites_insert_changes AFTER INSERT ON invites
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'people'); END;
CREATE TRIGGER invites_update_changes AFTER UPDATE OF opened_at, ended ON invites
    WHEN NEW.opened_at IS NOT OLD.opened_at OR NEW.ended IS NOT OLD.ended
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'people'); END;
CREATE TRIGGER people_insert_changes AFTER INSERT ON people
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'people'); END;
CREATE TRIGGER people_delete_changes AFTER DELETE ON people
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, 'people'); END;
CREATE TRIGGER members_insert_changes AFTER INSERT ON members
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'people'); END;
CREATE TRIGGER members_update_changes AFTER UPDATE OF role ON members
    WHEN NEW.role IS NOT OLD.role
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, 'people'); END;
CREATE TRIGGER members_delete_changes AFTER DELETE ON members
    BEGIN INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, 'people'); END;
CREATE TRIGGER refresh_attempts_insert_changes AFTER INSERT ON refresh_attempts
    BEGIN INSERT INTO changes (organisation_id, topic) SELECT organisation_id, 'connections' FROM connections WHERE id = NEW.connection_id; END;
CREATE TRIGGER refresh_attempts_update_changes AFTER UPDATE OF tries ON refresh_attempts
    BEGIN INSERT INTO changes (organisation_id, topic) SELECT organisation_id, 'connections' FROM connections WHERE id = NEW.connection_id; END;
