-- How an attempt to connect ended, for a browser that comes back with it once more.
ALTER TABLE connect_attempts ADD COLUMN taken_at BIGINT;
ALTER TABLE connect_attempts ADD COLUMN ended TEXT;
