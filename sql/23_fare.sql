-- The fare of a ticket, and the parts of which it is made.

-- The concessions of a service. seat: whether its passenger has a seat; else an infant, on the lap of another passenger.
CREATE OR REPLACE FUNCTION api.concessions(service bus_info)
RETURNS TABLE (name text, percent numeric, amount numeric, seat boolean)
LANGUAGE sql STABLE AS $$
    SELECT c.name, coalesce(c.percent, 0), coalesce(c.amount, 0), coalesce(c.seat, true)
    FROM jsonb_to_recordset(service.concessions) AS c (name text, percent numeric, amount numeric, seat boolean)
$$;

-- The rules that apply to a ticket, in steps: the class of its seat; the travel date; its passenger; its promo code.
-- Within a step, they add up. percent, amount: what is added to the fare; below 0, a discount. An infant on the
-- passenger's lap pays the fare of its own concession. passenger: as in a request.
CREATE OR REPLACE FUNCTION api.applying_rules(
    service bus_info, travel_date date, seat_class text, passenger jsonb, promo promo_codes
) RETURNS TABLE (step int, part text, name text, percent numeric, amount numeric)
LANGUAGE sql STABLE AS $$
    SELECT 1, 'class', c.name, c.percent, c.amount
    FROM jsonb_to_recordset(service.seat_classes) AS c (name text, percent numeric, amount numeric)
    WHERE fold_name(c.name) = fold_name(applying_rules.seat_class)
    UNION ALL
    SELECT 2, 'date', d.name, d.percent, d.amount
    FROM jsonb_to_recordset(service.fare_rules)
        AS d (name text, runs_on text, first_date date, last_date date, percent numeric, amount numeric)
    WHERE travel_date BETWEEN coalesce(d.first_date, '-infinity') AND coalesce(d.last_date, 'infinity')
      AND extract(isodow FROM travel_date) = ANY (api.parse_weekdays(coalesce(d.runs_on, 'daily')))
    UNION ALL
    SELECT 3, 'concession', c.name, -c.percent, -c.amount
    FROM api.concessions(service) AS c
    WHERE c.seat AND fold_name(c.name) = fold_name(passenger ->> 'concession')
    UNION ALL
    SELECT 3, 'infant', c.name, 100 - c.percent, 0
    FROM api.concessions(service) AS c
    WHERE NOT c.seat AND passenger ->> 'infant' IS NOT NULL
    UNION ALL
    SELECT 4, 'promo', promo.code, -promo.percent, -promo.amount
    WHERE promo.promo_no IS NOT NULL
$$;

-- The price of a ticket. s: its segment. A percentage is of the sum of the parts of all earlier steps. Each part is
-- rounded to the decimals of the currency, so that the parts add up to the fare. A discount takes no more than is left of it, and a surcharge
-- raises it to the highest fare that a ticket can have. What is refunded if the ticket ends early is in proportion to its fare.
CREATE OR REPLACE FUNCTION api.price(
    service bus_info, travel_date date, s api.found_segment, seat_class text, passenger jsonb, promo promo_codes
) RETURNS api.ticket_price
LANGUAGE plpgsql STABLE AS $$
DECLARE
    highest CONSTANT numeric := trunc(99999999.9999, api.currency_decimals(service.currency));   -- of passengers.fare
    price  api.ticket_price := ROW(s.fare, NULL, s.alight_refunds);
    parts  jsonb := jsonb_build_array(jsonb_build_object('part', 'segment', 'amount', api.amount_text(s.fare, service.currency)));
    step   int := 0;
    basis  numeric;   -- of the percentages of a step
    added  numeric;
    rule   record;
BEGIN
    FOR rule IN SELECT * FROM api.applying_rules(service, travel_date, seat_class, passenger, promo) AS r ORDER BY r.step LOOP
        IF rule.step > step THEN
            step := rule.step;
            basis := price.fare;
        END IF;
        added := api.round_charge(least(greatest(basis * coalesce(rule.percent, 0) / 100 + coalesce(rule.amount, 0), -price.fare),
                                        highest - price.fare), service);
        price.fare := price.fare + added;
        parts := parts || jsonb_build_object('part', rule.part, 'name', rule.name, 'amount', api.amount_text(added, service.currency));
    END LOOP;
    IF step > 0 THEN
        price.parts := parts;
        price.alight_refunds := ARRAY(
            SELECT coalesce(api.round_charge(r.refund * price.fare / nullif(s.fare, 0), service), 0)
            FROM unnest(s.alight_refunds) WITH ORDINALITY AS r (refund, n) ORDER BY r.n);
    END IF;
    RETURN price;
END $$;

-- The prices of a party's tickets: ticket n has the nth seat and the nth passenger. seats: NULL for the waitlist, where
-- all tickets are of one class.
CREATE OR REPLACE FUNCTION api.prices(
    service bus_info, travel_date date, s api.found_segment, party int, seats int[], seat_class text, passengers jsonb,
    promo promo_codes
) RETURNS api.ticket_price[]
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN ARRAY(SELECT api.price(service, travel_date, s,
            CASE WHEN seats IS NULL THEN seat_class ELSE api.class_of_seat(service, seats[n]) END, passengers -> (n - 1), promo)
        FROM generate_series(1, party) AS n ORDER BY n);
END $$;

-- The name in a part of a fare, such as the class of the seat; NULL if the fare has no such part.
CREATE OR REPLACE FUNCTION api.name_in(parts jsonb, part text) RETURNS text
LANGUAGE sql IMMUTABLE
RETURN (SELECT p ->> 'name' FROM jsonb_array_elements(parts) AS p WHERE p ->> 'part' = part);

-- The passenger of a ticket, as in a request, without the name.
CREATE OR REPLACE FUNCTION api.passenger_of(ticket passengers) RETURNS jsonb
LANGUAGE sql STABLE
RETURN jsonb_build_object('concession', api.name_in(ticket.fare_parts, 'concession'), 'infant', ticket.infant,
    'gender', ticket.gender, 'accessible', ticket.accessible);
