-- An instant as RFC 3339 writes it, with the offset that a zone has then: 2026-12-01T22:00:00+05:30.
CREATE OR REPLACE FUNCTION api.rfc3339(at timestamptz, zone text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    local  timestamp := at AT TIME ZONE zone;
    ahead  interval := local - (at AT TIME ZONE 'UTC');
BEGIN
    RETURN to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN ahead < '0' THEN '-' ELSE '+' END
        || to_char(CASE WHEN ahead < '0' THEN -ahead ELSE ahead END, 'HH24:MI');
END $$;

-- When a trip is so far into its travel date, in the zone of its service.
CREATE OR REPLACE FUNCTION api.instant(travel_date date, since_midnight interval, zone text) RETURNS timestamptz
LANGUAGE sql STABLE
RETURN (travel_date + since_midnight) AT TIME ZONE zone;
