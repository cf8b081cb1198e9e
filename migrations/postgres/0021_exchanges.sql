-- Through which app, by its client id, the code of an attempt is being exchanged: a revocation gives way to those of its own
-- app alone. Absent until then.
ALTER TABLE connect_attempts ADD COLUMN client_id TEXT;
