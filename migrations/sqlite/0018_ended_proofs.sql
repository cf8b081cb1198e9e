-- How a proof at Linear ended, for a browser that comes back with it once more.
ALTER TABLE proof_attempts ADD COLUMN taken_at BIGINT;
ALTER TABLE proof_attempts ADD COLUMN ended TEXT;
