-- The one server of a file remembers by itself where it left the numbers of deliveries, and sees where another copy was put
-- in its place: nothing is kept here for that.
SELECT 1;
