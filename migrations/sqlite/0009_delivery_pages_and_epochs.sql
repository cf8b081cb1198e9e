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
