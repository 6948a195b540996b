-- A time in the format of RFC 3339, with the UTC offset of a time zone: 2026-12-01T22:00:00+05:30.
CREATE OR REPLACE FUNCTION api.rfc3339(at timestamptz, zone text) RETURNS text
LANGUAGE plpgsql STABLE STRICT AS $$
DECLARE
    local      timestamp := at AT TIME ZONE zone;
    utc_offset interval := local - (at AT TIME ZONE 'UTC');
BEGIN
    RETURN to_char(local, 'YYYY-MM-DD"T"HH24:MI:SS')
        || CASE WHEN utc_offset < '0' THEN '-' ELSE '+' END
        || to_char(CASE WHEN utc_offset < '0' THEN -utc_offset ELSE utc_offset END, 'HH24:MI');
END $$;
