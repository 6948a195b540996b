-- The day of a trip: who boarded, who did not, and under which earlier names tickets were sold.
--
-- The columns are NULL until the day, so that a sale does not write them. No row breaks a constraint when it is added.

INSERT INTO migrations (name) VALUES ('1n_day');

ALTER TABLE passengers
    ADD COLUMN checked_in_at timestamptz,       -- when the conductor checked the passenger in
    ADD COLUMN no_show_at timestamptz,          -- when the ticket became a no-show
    ADD COLUMN no_show_segment int4range,       -- the segment of a no-show whose seat is for sale again from the next stop
    ADD CONSTRAINT checked_in_or_no_show CHECK (checked_in_at IS NULL OR no_show_at IS NULL) NOT VALID,
    ADD CONSTRAINT no_show_segment_contains_segment
        CHECK (no_show_segment IS NULL OR no_show_at IS NOT NULL AND segment <@ no_show_segment) NOT VALID;

ALTER TABLE bus_info
    ADD COLUMN no_show_sells boolean NOT NULL DEFAULT false,   -- the seat of a no-show sells again from the next stop
    ADD COLUMN max_transfers int NOT NULL DEFAULT 3,           -- of a ticket to another name
    ADD CONSTRAINT max_transfers_not_negative CHECK (max_transfers >= 0) NOT VALID;

-- A ticket's earlier names. The first name of a ticket that was sold without one is not a transfer.
CREATE TABLE transfers (
    bus_id          bigint NOT NULL,
    reference       text NOT NULL,
    ticket_no       int NOT NULL,
    transfer_no     int NOT NULL CHECK (transfer_no > 0),
    from_name       text NOT NULL,
    to_name         text NOT NULL,
    account         text,                       -- that transferred it; NULL: a guest
    at              timestamptz NOT NULL,
    PRIMARY KEY (bus_id, reference, ticket_no, transfer_no),
    FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES passengers
);
