-- Transfer a ticket to another name, until the trip has left the boarding stop. gender, concession: of the new passenger, who may
-- have the seat and the fare of the ticket. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.transfer_ticket(
    b api.opened_booking, ticket_no int, name text, gender text, concession text, account text
) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    ticket  passengers;
    done    int;
    refusal jsonb := coalesce(api.check_tickets(b, ARRAY[ticket_no]), api.check_not_ended(b, ARRAY[ticket_no]),
                             api.check_seated(b, ARRAY[ticket_no]));
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT s.* INTO service FROM trips t, api.service_of(t) AS s WHERE t.bus_id = b.bus_id AND t.travel_date = b.travel_date;
    SELECT * INTO ticket FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = transfer_ticket.ticket_no;
    SELECT count(*) INTO done FROM transfers t
    WHERE t.bus_id = b.bus_id AND t.reference = b.reference AND t.ticket_no = transfer_ticket.ticket_no;
    IF ticket.name = transfer_ticket.name THEN
        RETURN NULL;
    ELSIF ticket.checked_in_at IS NOT NULL THEN
        RETURN api.refusal('checked_in', format('Ticket %s is checked in; it cannot be transferred any more.', ticket_no));
    ELSIF ticket.name IS NOT NULL AND done >= service.max_transfers THEN
        RETURN api.refusal('too_many_transfers', CASE service.max_transfers
            WHEN 0 THEN format('Tickets of %s cannot be transferred to another name.', service.name)
            ELSE format('Ticket %s was transferred %s already.', ticket_no, api.format_count(done, 'time')) END,
            jsonb_build_object('limit', service.max_transfers));
    END IF;
    IF ticket.name IS NULL THEN   -- the passenger stays the same
        gender := coalesce(gender, ticket.gender);
        concession := coalesce(concession, api.name_in(ticket.fare_parts, 'concession'));
    END IF;
    refusal := coalesce(
        CASE WHEN ticket.seat_no = ANY (service.women_seats) THEN api.check_reserved(service, b.travel_date, ticket.segment,
            ARRAY[ticket.seat_no], jsonb_build_array(jsonb_build_object('gender', transfer_ticket.gender, 'accessible', true))) END,
        api.check_same_concession(ticket, transfer_ticket.concession));
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    UPDATE passengers p SET name = transfer_ticket.name, gender = transfer_ticket.gender
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = transfer_ticket.ticket_no;
    INSERT INTO transfers (bus_id, reference, ticket_no, transfer_no, from_name, to_name, account, at)
    SELECT b.bus_id, b.reference, ticket.ticket_no, done + 1, ticket.name, transfer_ticket.name, transfer_ticket.account, api.now()
    WHERE ticket.name IS NOT NULL;
    PERFORM api.record_events('booking.changed', ARRAY[b.bus_id], ARRAY[b.reference], api.because('transfer'));
    RETURN NULL;
END $$;

-- Check that the new passenger of a ticket has the concession of its fare.
CREATE OR REPLACE FUNCTION api.check_same_concession(ticket passengers, concession text) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('unknown_concession', CASE WHEN sold.name IS NULL
            THEN format('Ticket %s was sold without a concession. Transfer it without one.', ticket.ticket_no)
            ELSE format('Ticket %s was sold with the concession %s. Give it as `concession` if the new passenger has it too; '
                        'else cancel the ticket and book another.', ticket.ticket_no, sold.name) END,
        jsonb_build_object('concessions', to_jsonb(array_remove(ARRAY[sold.name], NULL))))
    FROM (SELECT api.name_in(ticket.fare_parts, 'concession') AS name) AS sold
    WHERE fold_name(sold.name) IS DISTINCT FROM fold_name(concession)
$$;
