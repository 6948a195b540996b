-- Offers to bookings whose journey the operator has changed, and tickets that have lost their seats.

INSERT INTO migrations (name) VALUES ('1r_offers');

-- A displaced ticket was booked and has lost its seat. It is charged and not refunded, and its booking has an open offer.
-- The new constraint permits all that the dropped one permitted.
ALTER TABLE passengers
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT known_status,
    ADD CONSTRAINT known_status CHECK (status IN ('held', 'booked', 'pending', 'displaced', 'cancelled', 'expired')) NOT VALID,
    ADD CONSTRAINT displaced_has_no_seat CHECK (seat_no IS NULL OR status <> 'displaced') NOT VALID;

ALTER TABLE bus_info
    ADD COLUMN offer_hours int NOT NULL DEFAULT 24,         -- for so many hours an offer can be accepted or declined
    ADD COLUMN alternative_hours int NOT NULL DEFAULT 24,   -- a trip that departs at most so many hours earlier or later is offered instead
    ADD CONSTRAINT offer_hours_positive CHECK (offer_hours BETWEEN 1 AND 168) NOT VALID,
    ADD CONSTRAINT alternative_hours_not_negative CHECK (alternative_hours BETWEEN 0 AND 168) NOT VALID;

-- One row for each offer. It has no foreign key, because its booking may move to another trip, and because its hold is deleted
-- together with other unpaid bookings.
CREATE TABLE offers (
    bus_id          bigint NOT NULL,
    reference       text NOT NULL,
    offer_no        int NOT NULL CHECK (offer_no > 0),   -- counts the offers to the booking
    travel_date     date NOT NULL,                 -- of the trip of the booking
    cause           text NOT NULL CHECK (length(cause) BETWEEN 1 AND 1000 AND cause !~ '[\x01-\x1f\x7f]'),
    tickets         int[] NOT NULL,                -- ticket numbers; the nth ticket is offered the nth seat of the hold
    unanswered      text NOT NULL CHECK (unanswered IN ('refund', 'keep')),
    hold_bus_id     bigint,                        -- the service of the other trip that is offered
    hold            text,                          -- the reference of the hold on its seats
    valid_until     timestamptz NOT NULL,
    state           text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'accepted', 'declined', 'expired', 'withdrawn')),
    created_at      timestamptz NOT NULL,
    decided_at      timestamptz,
    PRIMARY KEY (bus_id, reference, offer_no),
    CONSTRAINT open_is_undecided CHECK ((state = 'open') = (decided_at IS NULL)),
    CONSTRAINT another_trip_is_held CHECK ((hold IS NULL) = (hold_bus_id IS NULL)),
    CONSTRAINT kept_without_another_trip CHECK (hold IS NULL OR unanswered = 'refund')
);
CREATE INDEX offers_of_booking ON offers (reference);
CREATE UNIQUE INDEX offers_open ON offers (bus_id, travel_date, reference) WHERE state = 'open';
