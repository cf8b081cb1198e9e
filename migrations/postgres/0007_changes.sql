-- What changed, for pages that are open. Whoever watches goes on from the last number seen; old ones are forgotten.
CREATE TABLE changes (
    seq BIGSERIAL PRIMARY KEY,
    organisation_id TEXT NOT NULL,
    -- connections, deliveries or people.
    topic TEXT NOT NULL
);
CREATE INDEX changes_by_organisation ON changes (organisation_id, seq);

-- Leases, beats and proofs change nothing that is worth telling.
CREATE FUNCTION note_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        INSERT INTO changes (organisation_id, topic) VALUES (OLD.organisation_id, TG_ARGV[0]);
    ELSE
        INSERT INTO changes (organisation_id, topic) VALUES (NEW.organisation_id, TG_ARGV[0]);
    END IF;
    RETURN NULL;
END
$$;
CREATE TRIGGER connections_insert_changes AFTER INSERT ON connections FOR EACH ROW EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER connections_update_changes AFTER UPDATE OF workspace_name, viewer_name, state, reason, evidence, generation, tokens_revoked, last_error_code, refresh_error_code, failures, next_attempt_at ON connections FOR EACH ROW
    WHEN (NEW.workspace_name IS DISTINCT FROM OLD.workspace_name OR NEW.viewer_name IS DISTINCT FROM OLD.viewer_name OR NEW.state IS DISTINCT FROM OLD.state OR NEW.reason IS DISTINCT FROM OLD.reason OR NEW.evidence IS DISTINCT FROM OLD.evidence OR NEW.generation IS DISTINCT FROM OLD.generation OR NEW.tokens_revoked IS DISTINCT FROM OLD.tokens_revoked OR NEW.last_error_code IS DISTINCT FROM OLD.last_error_code OR NEW.refresh_error_code IS DISTINCT FROM OLD.refresh_error_code OR NEW.failures IS DISTINCT FROM OLD.failures OR NEW.next_attempt_at IS DISTINCT FROM OLD.next_attempt_at)
    EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER connections_delete_changes AFTER DELETE ON connections FOR EACH ROW EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER webhook_secrets_insert_changes AFTER INSERT ON webhook_secrets FOR EACH ROW EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER webhook_secrets_update_changes AFTER UPDATE OF retires_at, matched_at ON webhook_secrets FOR EACH ROW
    WHEN (NEW.retires_at IS DISTINCT FROM OLD.retires_at OR NEW.matched_at IS DISTINCT FROM OLD.matched_at)
    EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER webhook_secrets_delete_changes AFTER DELETE ON webhook_secrets FOR EACH ROW EXECUTE FUNCTION note_change('connections');
CREATE TRIGGER destinations_insert_changes AFTER INSERT ON destinations FOR EACH ROW EXECUTE FUNCTION note_change('deliveries');
CREATE TRIGGER destinations_update_changes AFTER UPDATE OF paused_at, failing_since, last_status ON destinations FOR EACH ROW
    WHEN (NEW.paused_at IS DISTINCT FROM OLD.paused_at OR NEW.failing_since IS DISTINCT FROM OLD.failing_since OR NEW.last_status IS DISTINCT FROM OLD.last_status)
    EXECUTE FUNCTION note_change('deliveries');
CREATE TRIGGER destinations_delete_changes AFTER DELETE ON destinations FOR EACH ROW EXECUTE FUNCTION note_change('deliveries');
CREATE TRIGGER invites_insert_changes AFTER INSERT ON invites FOR EACH ROW EXECUTE FUNCTION note_change('people');
CREATE TRIGGER invites_update_changes AFTER UPDATE OF opened_at, ended ON invites FOR EACH ROW
    WHEN (NEW.opened_at IS DISTINCT FROM OLD.opened_at OR NEW.ended IS DISTINCT FROM OLD.ended)
    EXECUTE FUNCTION note_change('people');
CREATE TRIGGER people_insert_changes AFTER INSERT ON people FOR EACH ROW EXECUTE FUNCTION note_change('people');
CREATE TRIGGER people_delete_changes AFTER DELETE ON people FOR EACH ROW EXECUTE FUNCTION note_change('people');
CREATE TRIGGER members_insert_changes AFTER INSERT ON members FOR EACH ROW EXECUTE FUNCTION note_change('people');
CREATE TRIGGER members_update_changes AFTER UPDATE OF role ON members FOR EACH ROW
    WHEN (NEW.role IS DISTINCT FROM OLD.role)
    EXECUTE FUNCTION note_change('people');
CREATE TRIGGER members_delete_changes AFTER DELETE ON members FOR EACH ROW EXECUTE FUNCTION note_change('people');
CREATE FUNCTION note_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO changes (organisation_id, topic) SELECT organisation_id, 'connections' FROM connections WHERE id = NEW.connection_id;
    RETURN NULL;
END
$$;
CREATE TRIGGER refresh_attempts_insert_changes AFTER INSERT ON refresh_attempts FOR EACH ROW EXECUTE FUNCTION note_attempt();
CREATE TRIGGER refresh_attempts_update_changes AFTER UPDATE OF tries ON refresh_attempts FOR EACH ROW EXECUTE FUNCTION note_attempt();
