-- How long a destination had been failing when it last refused a message at its first try: what it refused before says nothing
-- about whether it would take something else by now.
ALTER TABLE destinations ADD COLUMN failing_new BIGINT NOT NULL DEFAULT 0;
