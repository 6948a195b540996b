-- Open the trips of a service from one date to another, for an account that may change the service.
CREATE OR REPLACE FUNCTION api.open_dates(account text, bus_id bigint, from_date date, to_date date)
RETURNS TABLE (refused boolean, answer jsonb)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    today date := (api.now() AT TIME ZONE (SELECT s.time_zone FROM bus_info s WHERE s.bus_id = open_dates.bus_id))::date;
BEGIN
    answer := coalesce(api.check_operator(account, bus_id), CASE
        WHEN to_date < from_date THEN api.refusal_bad_request('to', 'a date, not before `from`', 'The last date is before the first.')
        WHEN to_date < today THEN api.refusal_bad_request('to', format('a date from %s on', today), 'These dates are in the past.')
        WHEN to_date > today + 730 THEN
            api.refusal_bad_request('to', format('a date up to %s', today + 730), 'Sales open at most two years ahead.') END);
    refused := answer IS NOT NULL;
    IF NOT refused THEN
        answer := jsonb_build_object('opened', api.open_sales(bus_id, greatest(from_date, today), to_date));
    END IF;
    RETURN NEXT;
END $$;
