-- The tickets that a cancellation ends (default: all open ones), and their refund. The refund of a ticket is its
-- own percentage of its fare, rounded to the decimals of the currency. Held and pending tickets are not paid and have none.
CREATE OR REPLACE FUNCTION api.cancel_terms(b api.opened_booking, tickets int[]) RETURNS api.cancel_terms
LANGUAGE plpgsql STABLE AS $$
DECLARE
    terms api.cancel_terms;
    open_tickets int[];
BEGIN
    terms.refusal := api.check_tickets(b, tickets);
    IF terms.refusal IS NOT NULL THEN
        RETURN terms;
    END IF;
    SELECT array_agg(p.ticket_no) INTO open_tickets FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND api.status_now(p.status, p.expires_at) IN ('held', 'booked', 'pending', 'displaced');
    terms.tickets := coalesce(cancel_terms.tickets, open_tickets);
    IF open_tickets IS NULL OR NOT terms.tickets <@ open_tickets THEN
        terms.refusal := api.check_not_ended(b, terms.tickets);
        RETURN terms;
    END IF;
    terms.refusal := api.check_not_checked_in(b, terms.tickets);
    SELECT sum(api.refund_of(p)) INTO terms.refund FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets);
    RETURN terms;
END $$;

-- Check that the booking has these tickets (NULL: all of them).
CREATE OR REPLACE FUNCTION api.check_tickets(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    known int[] := ARRAY(SELECT p.ticket_no FROM passengers p
                        WHERE p.bus_id = b.bus_id AND p.reference = b.reference ORDER BY p.ticket_no);
BEGIN
    IF tickets <@ known OR tickets IS NULL THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('unknown_booking', format('Booking %s has only %s: %s.', b.reference,
            api.format_count(cardinality(known), 'ticket'), array_to_string(known, ', ')),
        jsonb_build_object('tickets', to_jsonb(known)));
END $$;

-- Check that no passenger of these tickets is checked in.
CREATE OR REPLACE FUNCTION api.check_not_checked_in(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('checked_in', format('%s of booking %s %s checked in. Only an operator can undo that; then cancel.',
        api.format_numbers(array_agg(p.ticket_no ORDER BY p.ticket_no), 'ticket'), b.reference,
        CASE WHEN count(*) = 1 THEN 'is' ELSE 'are' END))
    FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (tickets) AND p.status = 'booked' AND p.checked_in_at IS NOT NULL
    HAVING count(*) > 0
$$;

-- Check that none of these tickets (NULL: all tickets) is cancelled or expired.
CREATE OR REPLACE FUNCTION api.check_not_ended(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_or(p.status = 'cancelled')
        THEN api.refusal('already_cancelled', format('%s of booking %s %s already cancelled.',
            api.format_numbers(array_agg(p.ticket_no ORDER BY p.ticket_no) FILTER (WHERE p.status = 'cancelled'), 'ticket'), b.reference,
            CASE WHEN count(*) FILTER (WHERE p.status = 'cancelled') = 1 THEN 'is' ELSE 'are' END))
        ELSE api.refusal('hold_expired', format('Booking %s has expired. %s', b.reference, api.money_of_ended(b.reference))) END
    FROM passengers p
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference
      AND api.status_now(p.status, p.expires_at) IN ('cancelled', 'expired')
      AND (tickets IS NULL OR p.ticket_no = ANY (tickets))
    HAVING count(*) > 0
$$;

-- Check that none of these tickets (NULL: all tickets) is displaced.
CREATE OR REPLACE FUNCTION api.check_seated(b api.opened_booking, tickets int[]) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT api.refusal('displaced', format('Booking %s has lost its seats on this trip. Accept or decline its offer first.', b.reference))
    WHERE EXISTS (SELECT FROM passengers p WHERE p.bus_id = b.bus_id AND p.reference = b.reference
        AND (tickets IS NULL OR p.ticket_no = ANY (tickets)) AND p.status = 'displaced')
$$;

-- The refund of a cancellation. The quote is valid until its refund tier or the open offer ends, or the boarding stop is no longer
-- on sale. If the tickets have refund tiers, the quote has refunds: the refund of each tier that has not ended. Otherwise it has
-- refund_percent, the percentage of the fare that a cancellation refunds, if all tickets have the same one. The percentage of a
-- hold applies after it is confirmed.
CREATE OR REPLACE FUNCTION api.cancel_quote(
    reference text, phone text DEFAULT NULL, tickets int[] DEFAULT NULL, account text DEFAULT NULL
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    b           api.opened_booking := api.open_booking(reference, phone, account);
    terms       api.cancel_terms;
    zone        text;
    ahead       jsonb;
    valid_until text;
    offer       offers;
BEGIN
    b.refusal := coalesce(b.refusal, api.check_not_departed(b));
    IF b.refusal IS NOT NULL THEN
        RETURN b.refusal;
    END IF;
    terms := api.cancel_terms(b, tickets);
    IF terms.refusal IS NOT NULL THEN
        RETURN terms.refusal;
    END IF;
    SELECT c.time_zone INTO zone
    FROM passengers p
    JOIN route_table r ON r.bus_id = p.bus_id AND r.stop_no = lower(p.segment)
    JOIN places c ON c.code = r.place
    WHERE p.bus_id = b.bus_id AND p.reference = b.reference LIMIT 1;
    ahead := api.refunds_ahead(b, terms.tickets, zone);
    offer := api.open_offer(b.bus_id, b.reference);
    valid_until := api.rfc3339(least((ahead #>> '{refunds,0,until}')::timestamptz, api.answered_until(offer),
        CASE WHEN offer.unanswered = 'refund' THEN NULL ELSE api.booking_sells_until(b) END), zone);
    RETURN jsonb_build_object('currency', api.currency_of(b.bus_id), 'refund', api.amount_text(terms.refund, api.currency_of(b.bus_id)),
        'valid_until', valid_until, 'stands_until', valid_until)   -- stands_until: the name until 0.1.0
        || ahead || coalesce((
            SELECT jsonb_build_object('refund_percent', trim_scale(min(p.refund_percent))::text) FROM passengers p
            WHERE p.bus_id = b.bus_id AND p.reference = b.reference AND p.ticket_no = ANY (terms.tickets)
            HAVING count(p.refund_tiers) = 0 AND min(p.refund_percent) = max(p.refund_percent)), '{}');
END $$;
