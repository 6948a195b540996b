-- Where travellers get messages: the contact of a booking, the e-mail address of an account, the addresses that have bounced,
-- and the tokens that set new passwords.
--
-- A booking without e-mail address and SMS has no row in contacts, so most sales write nothing more.

INSERT INTO migrations (name) VALUES ('1y_contacts');

CREATE TABLE contacts (
    bus_id          bigint NOT NULL,                   -- the home service of the booking: api.reference_bus(reference)
    reference       text NOT NULL,
    email           text,
    language        text,                              -- NULL: that of the server
    sms             boolean NOT NULL DEFAULT false,    -- to passengers.phone
    PRIMARY KEY (bus_id, reference),
    CONSTRAINT contact_says_something CHECK (email IS NOT NULL OR sms)
);

-- Addresses to which no mail is sent any more.
CREATE TABLE bounces (
    address         text PRIMARY KEY CHECK (address = lower(address)),
    at              timestamptz NOT NULL,
    reason          text NOT NULL                      -- what the mail server says
);

ALTER TABLE accounts
    ADD COLUMN email text,
    ADD COLUMN language text;
-- The index is empty, and the table has a row for each account.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX accounts_of_email ON accounts (lower(email)) WHERE email IS NOT NULL;

CREATE TABLE password_resets (
    digest          bytea PRIMARY KEY,                 -- SHA-256 of the token
    username        text NOT NULL REFERENCES accounts ON DELETE CASCADE,
    expires_at      timestamptz NOT NULL
);
CREATE INDEX password_resets_of ON password_resets (username);
