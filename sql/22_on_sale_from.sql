-- The first date on which a trip from one of the places can be on sale: today, at the place where it is earliest.
CREATE OR REPLACE FUNCTION api.on_sale_from(origins text[]) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT min(api.now() AT TIME ZONE p.time_zone)::date FROM places p WHERE p.code = ANY (origins)
$$;
