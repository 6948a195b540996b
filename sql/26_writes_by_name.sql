-- The writes as functions with named arguments, for psql. Each calls api.call.

CREATE OR REPLACE FUNCTION api.book(
    bus_id bigint, travel_date date DEFAULT NULL, origin text DEFAULT NULL, destination text DEFAULT NULL,
    from_stop int DEFAULT NULL, to_stop int DEFAULT NULL, seats int[] DEFAULT NULL, count int DEFAULT NULL,
    phone text DEFAULT NULL, passengers jsonb DEFAULT NULL, waitlist boolean DEFAULT false,
    boarding_date date DEFAULT NULL, seat_class text DEFAULT NULL, promo_code text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql
RETURN api.call('book', jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'boarding_date', boarding_date,
    'origin', origin, 'destination', destination, 'from_stop', from_stop, 'to_stop', to_stop, 'seats', seats, 'count', count,
    'phone', phone, 'passengers', passengers, 'waitlist', waitlist, 'seat_class', seat_class, 'promo_code', promo_code));

CREATE OR REPLACE FUNCTION api.hold(
    bus_id bigint, travel_date date DEFAULT NULL, origin text DEFAULT NULL, destination text DEFAULT NULL,
    from_stop int DEFAULT NULL, to_stop int DEFAULT NULL, seats int[] DEFAULT NULL, count int DEFAULT NULL,
    phone text DEFAULT NULL, passengers jsonb DEFAULT NULL, seconds int DEFAULT NULL,
    boarding_date date DEFAULT NULL, seat_class text DEFAULT NULL, promo_code text DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql
RETURN api.call('hold', jsonb_build_object('bus_id', bus_id, 'travel_date', travel_date, 'boarding_date', boarding_date,
    'origin', origin, 'destination', destination, 'from_stop', from_stop, 'to_stop', to_stop, 'seats', seats, 'count', count,
    'phone', phone, 'passengers', passengers, 'seconds', seconds, 'seat_class', seat_class, 'promo_code', promo_code));

CREATE OR REPLACE FUNCTION api.confirm(reference text, phone text DEFAULT NULL, fare numeric DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('confirm', jsonb_build_object('reference', reference, 'phone', phone, 'fare', fare));

CREATE OR REPLACE FUNCTION api.release(reference text, phone text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('release', jsonb_build_object('reference', reference, 'phone', phone));

CREATE OR REPLACE FUNCTION api.cancel(reference text, phone text DEFAULT NULL, tickets int[] DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('cancel', jsonb_build_object('reference', reference, 'phone', phone, 'tickets', tickets));

CREATE OR REPLACE FUNCTION api.change_seat(reference text, ticket_no int, seat_no int, phone text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('change_seat', jsonb_build_object('reference', reference, 'phone', phone,
    'ticket_no', ticket_no, 'seat_no', seat_no));

CREATE OR REPLACE FUNCTION api.transfer(reference text, ticket_no int, name text, phone text DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('transfer', jsonb_build_object('reference', reference, 'phone', phone, 'ticket_no', ticket_no, 'name', name));

-- at: a place or a stop number, as JSON: '"Mandya"' or '3'.
CREATE OR REPLACE FUNCTION api.alight(reference text, at jsonb, phone text DEFAULT NULL, tickets int[] DEFAULT NULL) RETURNS jsonb
LANGUAGE sql
RETURN api.call('alight', jsonb_build_object('reference', reference, 'phone', phone, 'tickets', tickets, 'at', at));

-- What is not named stays as it is. due: the amount that you accept to pay.
CREATE OR REPLACE FUNCTION api.exchange(
    reference text, phone text DEFAULT NULL, bus_id bigint DEFAULT NULL, travel_date date DEFAULT NULL,
    boarding_date date DEFAULT NULL, origin text DEFAULT NULL, destination text DEFAULT NULL, from_stop int DEFAULT NULL,
    to_stop int DEFAULT NULL, seats int[] DEFAULT NULL, seat_class text DEFAULT NULL, due numeric DEFAULT NULL
) RETURNS jsonb
LANGUAGE sql
RETURN api.call('exchange', jsonb_strip_nulls(jsonb_build_object('reference', reference, 'phone', phone, 'bus_id', bus_id,
    'travel_date', travel_date, 'boarding_date', boarding_date, 'origin', origin, 'destination', destination,
    'from_stop', from_stop, 'to_stop', to_stop, 'seats', seats, 'seat_class', seat_class, 'due', due)));
