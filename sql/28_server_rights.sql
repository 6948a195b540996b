-- The rights of the server's database role. A right is a privilege and its object, in the words of GRANT.

-- An object as GRANT and REVOKE name it. class: the catalog that has it.
CREATE OR REPLACE FUNCTION api.grantable(class regclass, object oid) RETURNS text
LANGUAGE sql STABLE
RETURN (SELECT CASE o.type WHEN 'database' THEN 'DATABASE ' WHEN 'schema' THEN 'SCHEMA ' WHEN 'function' THEN 'FUNCTION '
    WHEN 'sequence' THEN 'SEQUENCE ' ELSE 'TABLE ' END || o.identity FROM pg_identify_object(class, object, 0) AS o);

-- The rights that a server needs; server/db/schema.py grants those that are missing.
--
-- An entry point is a function that runs with its owner's rights, as prosecdef says. The role may execute the entry
-- points, and read three tables without personal data. While a process of 0.1.0 is alive, it may also read the other
-- tables and execute the other functions.
CREATE OR REPLACE FUNCTION api.server_rights() RETURNS TABLE (privilege text, object text)
LANGUAGE sql STABLE AS $$
    WITH busware AS MATERIALIZED (
        SELECT n.oid AS api, n.nspowner AS owner,
               EXISTS (SELECT FROM processes p WHERE p.needs_previous_rights AND api.is_alive(p.process_no)) AS previous
        FROM pg_namespace n WHERE n.nspname = 'api'
    )
    SELECT 'CONNECT', api.grantable('pg_database', d.oid) FROM pg_database d WHERE d.datname = current_database()
    UNION ALL
    SELECT 'USAGE', api.grantable('pg_namespace', n.oid) FROM pg_namespace n WHERE n.nspname IN ('api', 'public')
    UNION ALL
    SELECT 'SELECT', api.grantable('pg_class', c.oid) FROM pg_class c, busware b
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm') AND c.relowner = b.owner
      AND (c.relname IN ('bus_info', 'migrations', 'seeds_loaded') OR b.previous)
    UNION ALL
    SELECT 'EXECUTE', api.grantable('pg_proc', p.oid) FROM pg_proc p, busware b
    WHERE p.pronamespace = b.api AND (p.prosecdef AND p.oid <> ALL (api.previous_entry_points()) OR b.previous)
$$;

-- The rights that are granted to a role, as far as the current role can revoke them.
CREATE OR REPLACE FUNCTION api.granted_rights(role text) RETURNS TABLE (privilege text, object text)
LANGUAGE sql STABLE AS $$
    SELECT a.privilege_type || granted.columns, api.grantable(granted.class, granted.object)
    FROM (
        SELECT d.datacl, '', 'pg_database'::regclass, d.oid FROM pg_database d WHERE d.datname = current_database()
        UNION ALL
        SELECT n.nspacl, '', 'pg_namespace', n.oid FROM pg_namespace n WHERE n.nspname IN ('api', 'public')
        UNION ALL
        SELECT c.relacl, '', 'pg_class', c.oid FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT t.attacl, format(' (%I)', t.attname), 'pg_class', c.oid FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid
        WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT p.proacl, '', 'pg_proc', p.oid FROM pg_proc p WHERE p.pronamespace = 'api'::regnamespace
    ) AS granted (acl, columns, class, object), aclexplode(granted.acl) AS a
    WHERE a.grantee = quote_ident(granted_rights.role)::regrole AND a.grantor <> a.grantee AND pg_has_role(a.grantor, 'USAGE')
$$;

-- Revoke from the caller's role the rights that a server does not need, such as those that servers of 0.1.0 needed.
-- Returns their number. While a server prepares the database (_PREPARE_LOCK of schema.py), it revokes nothing.
CREATE OR REPLACE FUNCTION api.revoke_surplus_rights() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, api, public, pg_temp AS $$
DECLARE
    surplus record;
    n       int := 0;
BEGIN
    IF pg_try_advisory_xact_lock(27713686502208101) THEN
        FOR surplus IN SELECT * FROM api.granted_rights(session_user) EXCEPT SELECT * FROM api.server_rights() LOOP
            EXECUTE format('REVOKE %s ON %s FROM %I', surplus.privilege, surplus.object, session_user);
            n := n + 1;
        END LOOP;
    END IF;
    RETURN n;
END $$;
