-- Transfer a ticket to another name, until the trip has left the boarding stop. The caller has locked the trip.
CREATE OR REPLACE FUNCTION api.transfer_ticket(b api.opened_booking, ticket_no int, name text, account text) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    service bus_info;
    ticket  passengers;
    done    int;
    refusal jsonb := coalesce(api.check_tickets(b, ARRAY[ticket_no]), api.check_not_ended(b, ARRAY[ticket_no]));
BEGIN
    IF refusal IS NOT NULL THEN
        RETURN refusal;
    END IF;
    SELECT * INTO service FROM bus_info i WHERE i.bus_id = b.bus_id;
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
    UPDATE passengers p SET name = transfer_ticket.name
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = transfer_ticket.ticket_no;
    INSERT INTO transfers (bus_id, reference, ticket_no, transfer_no, from_name, to_name, account, at)
    SELECT b.bus_id, b.reference, ticket.ticket_no, done + 1, ticket.name, transfer_ticket.name, transfer_ticket.account, api.now()
    WHERE ticket.name IS NOT NULL;
    RETURN NULL;
END $$;
