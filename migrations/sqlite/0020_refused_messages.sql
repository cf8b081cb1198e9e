-- The one message that a destination refused since it last took any; -1 where it refused several. Of one alone nobody knows
-- whether it is the message or the destination.
ALTER TABLE destinations ADD COLUMN refused_seq BIGINT;
