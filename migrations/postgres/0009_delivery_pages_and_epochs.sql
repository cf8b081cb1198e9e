-- What narrows the page of deliveries, each with its index, within a workspace; `accepted`, `late` and `ignored` are few
-- enough to be looked for one by one, where none is asked for. Downwards, as no other index is: a database that believes to
-- find twenty soon would else go through all deliveries in their order, for a kind that came long ago.
CREATE INDEX deliveries_by_outcome ON deliveries (workspace_id, outcome, (-seq));
CREATE INDEX deliveries_by_event ON deliveries (workspace_id, event, outcome, (-seq));
CREATE INDEX deliveries_repeated ON deliveries (workspace_id, (-seq)) WHERE repeats > 0;
CREATE INDEX deliveries_repeated_by_event ON deliveries (workspace_id, event, (-seq)) WHERE repeats > 0;
CREATE INDEX delivery_recipients_late_down ON delivery_recipients (organisation_id, (-number)) WHERE number <> seq;
DROP INDEX deliveries_by_workspace;

-- Numbers of deliveries are given out in epochs, so that those of another copy of this database are told apart.
CREATE TABLE delivery_epochs (
    -- Its first number is the next one.
    began_after BIGINT PRIMARY KEY,
    -- Empty for the first one: cursors from before there were epochs name none.
    epoch TEXT NOT NULL UNIQUE,
    -- Its last number; absent for the present one.
    ended_at BIGINT
);
INSERT INTO delivery_epochs (began_after, epoch) VALUES (0, '');

-- Where the server writes its log: another timeline after each failover and each restore to a moment. Empty where that
-- may not be asked.
ALTER TABLE delivery_log ADD COLUMN timeline TEXT NOT NULL DEFAULT '';
CREATE FUNCTION log_timeline() RETURNS TEXT LANGUAGE plpgsql AS $$
BEGIN
    RETURN substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8);
EXCEPTION WHEN OTHERS THEN
    RETURN '';
END
$$;
-- A replica that took over may lack the last commits, and would give out their numbers once more: it begins far behind them.
CREATE FUNCTION begin_epoch_after_failover() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gap CONSTANT BIGINT := 1000000000;
    here CONSTANT TEXT := log_timeline();
BEGIN
    IF here = '' OR here = OLD.timeline THEN
        RETURN NEW;
    END IF;
    NEW.timeline := here;
    IF OLD.timeline <> '' THEN
        UPDATE delivery_epochs SET ended_at = OLD.last WHERE ended_at IS NULL;
        INSERT INTO delivery_epochs (began_after, epoch)
            VALUES (OLD.last + gap, substr(md5(random()::TEXT || clock_timestamp()::TEXT || here), 1, 16));
        NEW.last := NEW.last + gap;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER delivery_log_failover BEFORE UPDATE OF last ON delivery_log FOR EACH ROW
    WHEN (NEW.last > OLD.last) EXECUTE FUNCTION begin_epoch_after_failover();
