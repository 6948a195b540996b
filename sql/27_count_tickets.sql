-- The numbers of held, pending and sold tickets. Do not call it often: it reads all tickets.
CREATE OR REPLACE FUNCTION api.count_tickets() RETURNS TABLE (status text, tickets bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
    SELECT kind.status, count(p.status)
    FROM (VALUES ('held', 'held'), ('pending', 'pending'), ('sold', 'booked')) AS kind (status, stored)
    LEFT JOIN passengers p ON p.status = kind.stored AND api.status_now(p.status, p.expires_at) = kind.stored
    GROUP BY kind.status
$$;
