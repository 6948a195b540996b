-- Who holds seats or waits for them without payment, for the limits of sql/25_hold_limits.sql. A subject is an account
-- or an address. An address is personal data, so a row lasts no longer than its hold or waitlist entry. Calls without
-- limits leave no row.
--
-- Unlogged: a crash of PostgreSQL resets the counts, and no address is in the archived WAL.

INSERT INTO migrations (name) VALUES ('1c_holds');

CREATE UNLOGGED TABLE holders (
    bus_id          bigint NOT NULL,
    reference       text NOT NULL,
    ticket_no       int NOT NULL,
    subject         text NOT NULL,             -- account:…, address:…
    travel_date     date NOT NULL,
    expires_at      timestamptz,               -- of a hold; NULL: the ticket is on the waitlist
    PRIMARY KEY (bus_id, reference, ticket_no, subject)
);
CREATE INDEX holders_subject ON holders (subject, expires_at);
