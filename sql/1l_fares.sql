-- Fares by seat class, date, passenger and promo code, and the parts of each ticket's fare.
--
-- The rules of a service are stored as JSON, as in its document, in the row of bus_info, which every sale reads anyway. For a
-- service without rules, a sale only compares the columns with NULL. sql/23_fare.sql explains how the rules apply.

INSERT INTO migrations (name) VALUES ('1l_fares');

-- percent, amount: a surcharge on each ticket; a negative one is a discount. A class or rule has one of them, or both.
ALTER TABLE bus_info
    ADD COLUMN seat_classes jsonb,     -- [{name, seats, percent, amount}]; a seat is in one of them at most
    ADD COLUMN fare_rules jsonb,       -- [{name, runs_on, first_date, last_date, percent, amount}], by travel date
    ADD COLUMN concessions jsonb;      -- [{name, percent, amount, max_age, min_age, seat}]; percent, amount: a discount

-- A promo code of an operator. It belongs to no service, so bus_id is not in its key: a database sharded by bus_id has a
-- copy on each shard, and counts its uses there.
CREATE TABLE promo_codes (
    promo_no        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    operator        text NOT NULL,                     -- on whose services (bus_info.operator) it is valid
    code            text NOT NULL CHECK (code ~ '^[A-Z0-9-]{3,20}$'),
    percent         numeric(5,2) NOT NULL DEFAULT 0 CHECK (percent BETWEEN 0 AND 100),
    amount          numeric(10,2) NOT NULL DEFAULT 0 CHECK (amount >= 0),   -- for each ticket
    services        bigint[],                          -- NULL: all services of the operator
    first_date      date,                              -- of sale, in the time zone of the service; NULL: no limit
    last_date       date,
    max_uses        int CHECK (max_uses >= 0),         -- tickets; NULL: no limit
    max_uses_per_account int CHECK (max_uses_per_account >= 0),
    CONSTRAINT promo_code_of_operator UNIQUE (operator, code),
    CONSTRAINT promo_code_gives_something CHECK (percent > 0 OR amount > 0),
    CHECK (first_date <= last_date)
);

ALTER TABLE passengers
    ADD COLUMN fare_parts jsonb,       -- [{part, name, amount}]: the amounts add up to the fare; NULL: it is the fare of the segment
    ADD COLUMN infant text,            -- the name of the infant on the passenger's lap
    ADD COLUMN IF NOT EXISTS promo_no bigint;   -- its promo code
-- The new index is empty, but PostgreSQL reads the whole table to build it. If the table is large, an operator builds the index
-- before the upgrade: docs/upgrading.md.
-- squawk-ignore require-concurrent-index-creation
CREATE INDEX IF NOT EXISTS passengers_of_promo_code ON passengers (promo_no)
    INCLUDE (status, expires_at, booked_at, account, phone) WHERE promo_no IS NOT NULL;
