-- Add a service, or edit one, from its document (api.service). An edit changes only the fields that data names and that differ.
-- A refusal changes nothing. It names all faults of the document (bad_request), or says that the edit would move tickets
-- (service_in_use), or that a vehicle or a driver does not fit (wrong_layout, already_assigned). account: an operator's account
-- may edit the services of its operator; NULL is the owner of the database, who may edit all. Without bus_id, the service gets
-- the next number. plan: do it, return the answer, and undo it.
--
-- The answer: bus_id; created, whether the service is new; changes, {field, from, to} for each field; opened and removed, the
-- travel dates of trips that are on sale from now on, and no longer. If nothing changes, no trip is locked.
CREATE OR REPLACE FUNCTION api.put_service(account text, data jsonb, plan boolean DEFAULT false) RETURNS TABLE (refused boolean, answer jsonb)
-- A generic plan: to plan the search of a place takes longer than the search, and a service has many stops. A session that adds
-- thousands of services reuses the plans that it made while the tables were empty. Without enable_seqscan = off, these plans scan
-- whole tables; their estimated cost would then start the JIT compiler.
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET jit = off SET enable_seqscan = off SET enable_hashjoin = off AS $$
DECLARE
    id      bigint;
    before  jsonb;
    read    record;
    wanted  jsonb;
    changes jsonb;
BEGIN
    IF plan THEN
        BEGIN
            SELECT p.* INTO refused, answer FROM api.put_service(account, data) AS p;
            RAISE SQLSTATE 'BW001';
        EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- the changes of the plan are rolled back, and their locks are released
        END;
        RETURN NEXT;
        RETURN;
    END IF;
    SELECT * INTO id, answer FROM api.service_number(data -> 'bus_id');
    PERFORM FROM bus_info b WHERE b.bus_id = id FOR NO KEY UPDATE;   -- no other session edits the service now
    before := api.service(id);
    IF answer IS NULL AND before IS NOT NULL AND account IS NOT NULL THEN
        answer := api.check_operator(account, id);
    END IF;
    IF answer IS NULL THEN
        SELECT * INTO read FROM api.read_fields(data - 'bus_id', '', '') AS r;
        read.read := api.with_operator(account, before, read.read);
        wanted := coalesce(before, jsonb_build_object('bus_id', id)) || read.read;
        read.faults := read.faults || api.check_amounts(wanted);
        wanted := api.with_amounts(wanted);
        answer := api.refusal_of_faults(read.faults || api.check_new_service(wanted, before)
            || api.check_service(wanted, read.read, before));
        answer := coalesce(answer, api.check_operator_of(account, wanted ->> 'operator'));
    END IF;
    IF answer IS NULL THEN
        wanted := api.sorted_document(wanted);
        changes := CASE WHEN before IS NULL THEN '[]' ELSE api.changes(before, wanted) END;
        IF id IS NULL THEN
            id := api.next_bus_id();
            wanted := wanted || jsonb_build_object('bus_id', id);
        END IF;
        answer := CASE WHEN before IS NULL OR changes <> '[]' THEN api.apply_service(before, wanted)
                       ELSE '{"opened": [], "removed": []}' END;
        IF NOT answer ? 'reason' THEN
            answer := answer || jsonb_build_object('bus_id', id, 'created', before IS NULL, 'changes', changes);
        END IF;
    END IF;
    refused := answer ? 'reason';
    RETURN NEXT;
END $$;

-- The number of a service in a document, or the refusal. NULL if the document has none.
CREATE OR REPLACE FUNCTION api.service_number(given jsonb, OUT bus_id bigint, OUT refusal jsonb)
LANGUAGE sql IMMUTABLE AS $$
    SELECT CASE WHEN valid THEN (given #>> '{}')::bigint END,
           CASE WHEN NOT valid THEN api.refusal_of_faults(api.fault('bus_id', format('%s is not a number of a service, from 1 to 999999999999999999.', given))) END
    FROM (VALUES (nullif(given, 'null') #>> '{}' ~ '^[1-9][0-9]{0,17}$')) AS checked (valid)
$$;

-- The next number for a service. Some numbers of the sequence may be in use, because services can be added with a number.
CREATE OR REPLACE FUNCTION api.next_bus_id() RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    id bigint;
BEGIN
    LOOP
        id := nextval('bus_id_seq');
        EXIT WHEN NOT EXISTS (SELECT FROM bus_info b WHERE b.bus_id = id);
    END LOOP;
    RETURN id;
END $$;

-- The document of a new service with the operator of the account, if the document does not name an operator.
CREATE OR REPLACE FUNCTION api.with_operator(account text, before jsonb, read jsonb) RETURNS jsonb
LANGUAGE sql STABLE
RETURN CASE WHEN before IS NULL AND NOT read ? 'operator' THEN
    coalesce((SELECT jsonb_build_object('operator', a.operator) FROM accounts a WHERE a.username = account AND a.operator IS NOT NULL), '{}') ELSE '{}' END || read;

-- Check that an account may have services of an operator.
CREATE OR REPLACE FUNCTION api.check_operator_of(account text, operator text) RETURNS jsonb
LANGUAGE sql STABLE
RETURN (SELECT api.refusal('not_yours', format('Your account has the services of %s, not those of %s.', a.operator, check_operator_of.operator))
    FROM accounts a WHERE a.username = account AND a.operator <> check_operator_of.operator);

-- Check that a new service has what it needs.
CREATE OR REPLACE FUNCTION api.check_new_service(document jsonb, before jsonb) RETURNS jsonb
LANGUAGE sql IMMUTABLE AS $$
    SELECT coalesce(jsonb_agg(jsonb_build_object('field', f, 'message', 'A new service needs name, operator, layout and stops.') ORDER BY n), '[]')
    FROM unnest('{name,operator,layout,stops}'::text[]) WITH ORDINALITY AS needed (f, n)
    WHERE before IS NULL AND NOT document ? f
$$;

-- The fields that differ between two documents: {field, from, to}. Of two lists of the same length, the elements are compared.
CREATE OR REPLACE FUNCTION api.changes("from" jsonb, "to" jsonb, path text DEFAULT '') RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF "from" = "to" THEN
        RETURN '[]';
    ELSIF jsonb_typeof("from") = 'object' AND jsonb_typeof("to") = 'object' THEN
        RETURN (
            SELECT coalesce(jsonb_agg(c.change ORDER BY k.n, c.n), '[]')
            FROM jsonb_object_keys("from" || "to") WITH ORDINALITY AS k (key, n),
                 jsonb_array_elements(api.changes(coalesce("from" -> k.key, 'null'), coalesce("to" -> k.key, 'null'),
                     concat_ws('.', nullif(path, ''), k.key))) WITH ORDINALITY AS c (change, n));
    ELSIF jsonb_typeof("from") = 'array' AND jsonb_typeof("to") = 'array' AND jsonb_array_length("from") = jsonb_array_length("to") THEN
        RETURN (
            SELECT coalesce(jsonb_agg(c.change ORDER BY e.n, c.n), '[]')
            FROM ROWS FROM (jsonb_array_elements("from"), jsonb_array_elements("to")) WITH ORDINALITY AS e (old, new, n),
                 jsonb_array_elements(api.changes(e.old, e.new, format('%s[%s]', path, e.n - 1))) WITH ORDINALITY AS c (change, n)
            WHERE e.old <> e.new);
    END IF;
    RETURN jsonb_build_array(jsonb_build_object('field', path, 'from', "from", 'to', "to"));
END $$;

-- Write a service (api.write_service), if that moves no ticket. A refusal is undone by a subtransaction, which also releases the
-- locks of the trips. A new service needs none.
CREATE OR REPLACE FUNCTION api.apply_service(before jsonb, wanted jsonb) RETURNS jsonb
LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb;
BEGIN
    IF before IS NULL THEN
        RETURN api.write_service(before, wanted);
    END IF;
    BEGIN
        answer := coalesce(api.check_unused(before, wanted), api.write_service(before, wanted));
        IF answer ? 'reason' THEN
            RAISE SQLSTATE 'BW001';
        END IF;
    EXCEPTION WHEN SQLSTATE 'BW001' THEN NULL;   -- the changes of the plan are rolled back
    END;
    RETURN answer;
END $$;
