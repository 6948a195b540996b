-- Exchanges: a booking moves to another trip, segment or seats, and keeps its reference.
--
-- All tickets of a booking move together, also those that have ended. So their rows are updated, and a reference is one
-- booking on one trip. A reference has the number of the service on which the booking was made, its home service.

INSERT INTO migrations (name) VALUES ('1s_exchanges');

-- Where a booking is now, if it is not on its home service.
CREATE TABLE moved_bookings (
    bus_id          bigint NOT NULL,            -- the home service
    reference       text NOT NULL,
    now_bus_id      bigint NOT NULL CHECK (now_bus_id <> bus_id),
    PRIMARY KEY (bus_id, reference)
);

-- What tickets were before each exchange. The service, trip and segment are not foreign keys: the service may change
-- meanwhile.
CREATE TABLE exchanges (
    bus_id          bigint NOT NULL,            -- the service on which the ticket is now
    reference       text NOT NULL,
    ticket_no       int NOT NULL,
    exchange_no     int NOT NULL CHECK (exchange_no > 0),
    from_bus_id     bigint NOT NULL,
    from_date       date NOT NULL,              -- the travel date
    from_segment    int4range NOT NULL,
    from_seat_no    int,
    fare            numeric(10,2) NOT NULL,
    refund          numeric(10,2) NOT NULL,     -- what was refunded of that fare
    -- What the operator keeps: the fee, and the part of a lower fare that is not refunded. NULL: the ticket had ended.
    kept            numeric(10,2) CHECK (kept >= 0),
    amount          numeric(10,2),              -- charged for the exchange; below 0, refunded; NULL if kept is NULL
    at              timestamptz NOT NULL,
    PRIMARY KEY (bus_id, reference, ticket_no, exchange_no),
    FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES passengers ON UPDATE CASCADE,
    CHECK ((kept IS NULL) = (amount IS NULL))
);

-- The foreign keys of payments and transfers follow the ticket. The existing rows satisfy them, so they are not validated.
ALTER TABLE payments
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT payments_bus_id_reference_ticket_no_fkey,
    ADD CONSTRAINT payments_bus_id_reference_ticket_no_fkey
        FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES passengers ON UPDATE CASCADE NOT VALID;
ALTER TABLE transfers
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT transfers_bus_id_reference_ticket_no_fkey,
    ADD CONSTRAINT transfers_bus_id_reference_ticket_no_fkey
        FOREIGN KEY (bus_id, reference, ticket_no) REFERENCES passengers ON UPDATE CASCADE NOT VALID;

-- Number 1 of a ticket is a charge, the others are refunds and the charges of exchanges.
ALTER TABLE payments
    -- squawk-ignore ban-drop-constraint
    DROP CONSTRAINT charge_comes_first,
    ADD CONSTRAINT first_payment_is_charge CHECK (payment_no > 1 OR kind = 'charge') NOT VALID;

ALTER TABLE bus_info
    ADD COLUMN exchange_fee numeric(10,2) NOT NULL DEFAULT 0,   -- for each ticket
    ADD COLUMN exchange_until interval DEFAULT '0',             -- before the departure; NULL: tickets are not exchanged
    ADD CONSTRAINT exchange_fee_not_negative CHECK (exchange_fee >= 0) NOT VALID;
