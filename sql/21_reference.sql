-- A reference is the bus_id of the booking's home service in base 28, followed by five random digits of base 28.
-- api.reference_bus computes the bus_id from it. The booking may be on another service now: api.booking_bus.

-- The digits of base 28, without those that are easily misread: I and 1, O and 0, and others. server/protocol/text.py has
-- the same alphabet, for clients without a database; a test compares them.
CREATE OR REPLACE FUNCTION api.reference_alphabet() RETURNS text
LANGUAGE sql IMMUTABLE
RETURN 'ABCDEFGHJKLMNPQRSTUVWXYZ3789';

-- The bus_id in a reference; NULL if there is none. The last five digits are not checked.
CREATE OR REPLACE FUNCTION api.reference_bus(reference text) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    alphabet CONSTANT text := api.reference_alphabet();
    digit    int;
    bus_id   bigint := 0;
BEGIN
    IF length(reference) NOT BETWEEN 6 AND 18 THEN   -- 13 digits of base 28 fit a bigint
        RETURN NULL;
    END IF;
    FOR i IN 1 .. length(reference) - 5 LOOP
        digit := strpos(alphabet, substr(reference, i, 1)) - 1;
        IF digit < 0 THEN
            RETURN NULL;
        END IF;
        bus_id := bus_id * 28 + digit;
    END LOOP;
    RETURN bus_id;
END $$;

-- The service on which a booking is now. It is the home service, unless an exchange has moved the booking. NULL if the
-- reference has no bus_id.
CREATE OR REPLACE FUNCTION api.booking_bus(reference text) RETURNS bigint
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    home bigint := api.reference_bus(reference);
BEGIN
    RETURN coalesce((SELECT m.now_bus_id FROM moved_bookings m
        WHERE m.bus_id = home AND m.reference = booking_bus.reference), home);
END $$;

-- Make a reference that no booking of the bus has.
CREATE OR REPLACE FUNCTION api.new_reference(bus_id bigint) RETURNS text
LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    digits    CONSTANT bytea := convert_to(api.reference_alphabet(), 'UTF8');
    rest      bigint := bus_id;
    prefix    text := '';
    random    bytea;
    candidate text;
BEGIN
    WHILE rest > 0 LOOP
        prefix := chr(get_byte(digits, (rest % 28)::int)) || prefix;
        rest := rest / 28;
    END LOOP;
    LOOP
        random := uuid_send(gen_random_uuid());   -- the first six bytes are random
        candidate := prefix || chr(get_byte(digits, get_byte(random, 0) % 28)) || chr(get_byte(digits, get_byte(random, 1) % 28))
            || chr(get_byte(digits, get_byte(random, 2) % 28)) || chr(get_byte(digits, get_byte(random, 3) % 28))
            || chr(get_byte(digits, get_byte(random, 4) % 28));
        EXIT WHEN NOT EXISTS (SELECT FROM passengers p
            WHERE p.bus_id = new_reference.bus_id AND p.reference = candidate)
            AND NOT EXISTS (SELECT FROM moved_bookings m
                WHERE m.bus_id = new_reference.bus_id AND m.reference = candidate);
    END LOOP;
    RETURN candidate;
END $$;
