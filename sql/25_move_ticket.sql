-- Move a ticket to another seat that is free on the ticket's segment.
CREATE OR REPLACE FUNCTION api.move_ticket(b api.opened_booking, ticket_no int, seat_no int) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    ticket  passengers;
    refusal jsonb := api.check_tickets(b, ARRAY[ticket_no]);
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
    SELECT * INTO ticket FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
    refusal := CASE
        WHEN ticket.status = 'pending' THEN api.refusal('not_held', 'The ticket is on the waitlist; it has no seat to change.')
        WHEN ticket.status IN ('cancelled', 'expired') THEN api.check_not_ended(b, ARRAY[ticket_no]) END;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        refusal := api.check_seats(service, b.travel_date,
            api.find_segment(service, b.travel_date, NULL, NULL, lower(ticket.segment), upper(ticket.segment)),
            ARRAY[move_ticket.seat_no]);
    END IF;
    IF refusal IS NULL AND ticket.seat_no <> move_ticket.seat_no THEN
        UPDATE passengers p SET seat_no = move_ticket.seat_no, moved_at = api.now()
        WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = move_ticket.ticket_no;
        UPDATE seats s SET taken = CASE s.seat_no WHEN ticket.seat_no THEN s.taken - int4multirange(ticket.segment)
                                                  ELSE s.taken + int4multirange(ticket.segment) END
        WHERE s.bus_id = b.bus_id AND s.travel_date = b.travel_date
          AND s.seat_no IN (ticket.seat_no, move_ticket.seat_no);
        PERFORM api.promote(b.bus_id, b.travel_date);
    END IF;
    RETURN refusal;
END $$;
