-- Pairs that somebody lent to say who they are: each is handed back once Linear confirms it.
ALTER TABLE minted_grants ADD COLUMN lent BOOLEAN NOT NULL DEFAULT FALSE;
-- Linear's id of who lent it, where Linear said it.
ALTER TABLE minted_grants ADD COLUMN lent_by TEXT;
