-- A copy of this database that is put in its place while servers run gives out no number that the other one gave out.
ALTER TABLE delivery_log
    -- The transaction that raised it last, as PostgreSQL knows it: a row that was restored was written by another one.
    ADD COLUMN raised_by BIGINT NOT NULL DEFAULT 0,
    -- Database and start of the server. Where files are copied, it is another database, or the server has to start anew.
    ADD COLUMN place TEXT NOT NULL DEFAULT '';

DROP TRIGGER delivery_log_failover ON delivery_log;
DROP FUNCTION begin_epoch_after_failover();
CREATE FUNCTION begin_epoch_elsewhere() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    gap CONSTANT BIGINT := 1000000000;
    here CONSTANT TEXT := log_timeline();
    this CONSTANT TEXT := (SELECT oid FROM pg_database WHERE datname = current_database()) || '/'
        || extract(epoch FROM pg_postmaster_start_time());
    wrote CONSTANT BIGINT := OLD.xmin::TEXT::BIGINT;
BEGIN
    IF here <> '' THEN
        NEW.timeline := here;
    END IF;
    NEW.place := this;
    -- Its lower half, which is what a row keeps.
    NEW.raised_by := txid_current() % 4294967296;
    -- What was never noted says nothing.
    IF (here <> '' AND OLD.timeline NOT IN ('', here)) OR OLD.place NOT IN ('', this) OR OLD.raised_by NOT IN (0, wrote) THEN
        UPDATE delivery_epochs SET ended_at = OLD.last WHERE ended_at IS NULL;
        DELETE FROM delivery_epochs WHERE ended_at = began_after AND epoch <> '';
        INSERT INTO delivery_epochs (began_after, epoch)
            VALUES (OLD.last + gap, substr(md5(random()::TEXT || clock_timestamp()::TEXT || this), 1, 16));
        NEW.last := NEW.last + gap;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER delivery_log_elsewhere BEFORE UPDATE OF last ON delivery_log FOR EACH ROW
    WHEN (NEW.last > OLD.last) EXECUTE FUNCTION begin_epoch_elsewhere();
