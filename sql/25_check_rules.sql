-- Checks of a sale by rules that few services have. Each returns a refusal or NULL.

-- Check the rules that apply to a sale and to an expired hold that is confirmed: the length of the segment, the passengers'
-- concessions, and the number of seats that an account or a phone number may have. The seats are checked by api.check_seats and
-- api.check_reserved.
CREATE OR REPLACE FUNCTION api.check_rules(
    service bus_info, travel_date date, s api.found_segment, party int, passengers jsonb, account text, phone text
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN coalesce(CASE WHEN passengers IS NOT NULL THEN api.check_concessions(service, passengers) END,
                    CASE WHEN service.shortest_segment_km IS NOT NULL THEN api.check_length(service, s) END,
                    CASE WHEN service.max_seats_per_account IS NOT NULL THEN
                        api.check_seats_of_account(service, travel_date, party, account, phone) END);
END $$;

-- Check that an account or a phone number has few enough live tickets on a trip. The caller has locked and settled the
-- trip. An account that runs the service sells to others, so only the phone number counts. The refusal does not say how
-- many tickets there are: the caller may not own the phone number.
CREATE OR REPLACE FUNCTION api.check_seats_of_account(
    service bus_info, travel_date date, wanted int, account text, phone text
) RETURNS jsonb
LANGUAGE plpgsql STABLE AS $$
DECLARE
    tickets bigint;
BEGIN
    IF api.operates(account, service.bus_id) THEN
        account := NULL;
    END IF;
    SELECT count(*) INTO tickets FROM passengers p
    WHERE p.bus_id = service.bus_id AND p.travel_date = check_seats_of_account.travel_date
      AND p.status IN ('held', 'booked', 'pending')
      AND (p.account = check_seats_of_account.account OR p.phone = check_seats_of_account.phone);
    IF num_nonnulls(account, phone) = 0 OR tickets + wanted <= service.max_seats_per_account THEN
        RETURN NULL;
    END IF;
    RETURN api.refusal('too_many_on_trip', format('One account or phone number may have %s on this %s.',
            api.format_count(service.max_seats_per_account, service.nouns ->> 'seat'), service.nouns ->> 'service'),
        jsonb_build_object('limit', service.max_seats_per_account));
END $$;

-- The warnings about a sale, as a field of the booking. A warning says that a passenger of the sale already has a live ticket
-- on an overlapping segment of the trip: one with the same name, and the same phone number or account. It has the reference of
-- the other booking only for the account that made that booking, because a reference and a phone number open a booking.
CREATE OR REPLACE FUNCTION api.warnings_about(sale api.sale) RETURNS jsonb
LANGUAGE sql STABLE AS $$
    SELECT jsonb_build_object('warnings', jsonb_agg(jsonb_strip_nulls(jsonb_build_object('warning', 'same_passenger', 'reference', own.reference,
        'message', format('%s is on this trip already%s.', p.name, ', in booking ' || own.reference))) ORDER BY p.reference, p.ticket_no))
    FROM passengers p
    CROSS JOIN LATERAL (SELECT CASE WHEN p.account = sale.account THEN p.reference END AS reference) AS own
    WHERE p.bus_id = sale.bus_id AND p.travel_date = sale.travel_date AND p.status IN ('held', 'booked')
      AND p.segment && sale.segment AND (p.phone = sale.phone OR p.account = sale.account)
      AND fold_name(p.name) IN (SELECT fold_name(n ->> 'name') FROM jsonb_array_elements(sale.names) AS n)
    HAVING count(*) > 0
$$;
