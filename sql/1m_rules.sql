-- Rules of selling: blocked seats, reserved seats, the shortest segment, the seats of an account.
--
-- Every column is NULL for a service without the rule, so that a sale skips it after one comparison. No row has a value
-- when a constraint is added, so none is validated.

INSERT INTO migrations (name) VALUES ('1m_rules');

-- A block takes a segment of a seat without a ticket. It is a part of `taken`, so a sale needs no further check.
ALTER TABLE seats
    ADD COLUMN blocked int4multirange,
    ADD COLUMN block_reason text,
    ADD CONSTRAINT blocked_is_taken CHECK (blocked <@ taken) NOT VALID;

ALTER TABLE bus_info
    ADD COLUMN blocked_seats int[],             -- out of sale on every trip
    ADD COLUMN women_seats int[],               -- only for women
    ADD COLUMN accessible_seats int[],          -- for passengers who ask for one, and sold to others last
    ADD COLUMN shortest_segment_km numeric(7,1),
    ADD COLUMN short_segments_open interval,    -- before the departure from the boarding stop; NULL: never
    ADD COLUMN max_seats_per_account int,       -- of one trip
    ADD CONSTRAINT seat_reserved_once CHECK (NOT women_seats && accessible_seats) NOT VALID,
    ADD CONSTRAINT account_has_seats CHECK (max_seats_per_account > 0) NOT VALID;

ALTER TABLE passengers
    ADD COLUMN gender text,
    ADD COLUMN accessible boolean,              -- the passenger asked for an accessible seat
    ADD CONSTRAINT known_gender CHECK (gender IN ('female', 'male', 'other')) NOT VALID;
