-- Move a ticket to another seat that is free on the ticket's segment, and that costs what the ticket has cost.
CREATE OR REPLACE FUNCTION api.move_ticket(b api.opened_booking, ticket_no int, seat_no int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    ticket  passengers;
    found   api.found_segment;
    price   api.ticket_price;
    refusal jsonb := api.check_tickets(b, ARRAY[ticket_no]);
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT s.* INTO service FROM trips t, api.service_of(t) AS s WHERE t.bus_id = b.bus_id AND t.travel_date = b.travel_date;
    SELECT * INTO ticket FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
    refusal := CASE
        WHEN ticket.status = 'displaced' THEN api.check_seated(b, ARRAY[ticket_no])
        WHEN ticket.status = 'pending' THEN api.refusal('not_held', 'The ticket is on the waitlist; it has no seat to change.')
        WHEN ticket.status IN ('cancelled', 'expired') THEN api.check_not_ended(b, ARRAY[ticket_no]) END;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        found := api.find_segment(service, api.trip(b), NULL, NULL, lower(ticket.segment), upper(ticket.segment));
        refusal := coalesce(api.check_seats(service, b.travel_date, found, ARRAY[move_ticket.seat_no]),
            api.check_reserved(service, b.travel_date, ticket.segment, ARRAY[move_ticket.seat_no],
                jsonb_build_array(api.passenger_of(ticket))),
            CASE WHEN api.class_of_seat(service, move_ticket.seat_no) IS DISTINCT FROM api.name_in(ticket.fare_parts, 'class') THEN
                api.check_concessions(service, jsonb_build_array(api.passenger_of(ticket))) END);   -- it gets a new price
        IF refusal IS NULL THEN
            price := api.price_on_seat(service, found, ticket, move_ticket.seat_no);
            refusal := api.check_same_fare(service, ticket, move_ticket.seat_no, price.fare);
        END IF;
    END IF;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        UPDATE passengers p SET seat_no = move_ticket.seat_no, moved_at = api.now(), fare_parts = price.parts
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
        UPDATE seats s SET taken = CASE s.seat_no WHEN ticket.seat_no THEN s.taken - int4multirange(ticket.segment)
                                                  ELSE s.taken + int4multirange(ticket.segment) END
        WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date
          AND s.seat_no IN (ticket.seat_no, move_ticket.seat_no);
        PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('seat'));
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;

-- The price of a ticket on another seat: the price at which it was sold if the seat is of the same class, otherwise today's price.
CREATE OR REPLACE FUNCTION api.price_on_seat(
    service bus_info, s api.found_segment, ticket passengers, seat_no int
) RETURNS api.ticket_price
LANGUAGE plpgsql STABLE AS $$
DECLARE
    seat_class text := api.class_of_seat(service, seat_no);
BEGIN
    IF seat_class IS NOT DISTINCT FROM api.name_in(ticket.fare_parts, 'class') THEN
        RETURN ROW(ticket.fare, ticket.fare_parts, ticket.alight_refunds);
    END IF;
    RETURN api.price(service, ticket.travel_date, s, seat_class, api.passenger_of(ticket), (
        SELECT c FROM promo_codes c WHERE c.promo_no = ticket.promo_no));
END $$;

-- Check that a ticket has cost what it would cost on another seat.
CREATE OR REPLACE FUNCTION api.check_same_fare(service bus_info, ticket passengers, seat_no int, fare numeric) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN fare <> ticket.fare THEN api.refusal('other_fare',
    format('%s costs %s, and ticket %s has cost %s. Choose a %s at the fare of the ticket.',
        api.format_numbers(ARRAY[seat_no], service.nouns ->> 'seat'), api.format_amount(fare, service.currency), ticket.ticket_no,
        api.format_amount(ticket.fare, service.currency), service.nouns ->> 'seat'),
    jsonb_build_object('currency', service.currency, 'fare', api.amount_text(fare, service.currency),
        'ticket_fare', api.amount_text(ticket.fare, service.currency))) END;
