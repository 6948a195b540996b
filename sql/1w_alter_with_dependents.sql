-- A function for the migrations 1w_amounts_…, which change the types of columns. The last of them drops it.
--
-- PostgreSQL refuses to change the type of a column that a view uses, or a function whose body is stored parsed (RETURN …).
-- The previous version's functions and views have to work until those of this version replace them.

INSERT INTO migrations (name) VALUES ('1w_alter_with_dependents');

-- Execute ALTER TABLE with actions that change columns of a table. Before it, the parsed bodies of functions that use the columns are
-- stored as text, which depends on nothing; and the views that use them are dropped. Afterwards, the views are created again with
-- their grants and comments. Materialized views are not: ALTER TABLE then fails with PostgreSQL's message.
CREATE FUNCTION alter_with_dependents(relation regclass, columns text[], actions text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog AS $$   -- so all names in definitions are qualified
DECLARE
    numbers  CONSTANT int[] := ARRAY(SELECT a.attnum FROM pg_attribute a WHERE a.attrelid = relation AND a.attname = ANY (columns));
    f        record;
    v        record;
    restored text[] := '{}';   -- statements that create the views again
    again    text;
BEGIN
    FOR f IN SELECT DISTINCT d.objid AS oid FROM pg_depend d JOIN pg_proc p ON p.oid = d.objid
             WHERE d.classid = 'pg_proc'::regclass AND d.refclassid = 'pg_class'::regclass
               AND d.refobjid = relation AND d.refobjsubid = ANY (numbers) AND p.prosqlbody IS NOT NULL LOOP
        EXECUTE replace(pg_get_functiondef(f.oid), pg_get_function_sqlbody(f.oid),
                        format('AS %L', regexp_replace(pg_get_function_sqlbody(f.oid), '^\s*RETURN\s', 'SELECT ')));
    END LOOP;
    FOR v IN WITH RECURSIVE used (oid, depth) AS (
                 SELECT r.ev_class, 1 FROM pg_depend d JOIN pg_rewrite r ON r.oid = d.objid
                 WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
                   AND d.refobjid = relation AND d.refobjsubid = ANY (numbers)
                 UNION
                 SELECT r.ev_class, u.depth + 1 FROM used u
                 JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass AND d.refobjid = u.oid
                 JOIN pg_rewrite r ON r.oid = d.objid AND r.ev_class <> u.oid
             )
             SELECT c.oid, c.relowner, format('%I.%I', c.relnamespace::regnamespace, c.relname) AS name, c.reloptions, c.relacl
             FROM used u JOIN pg_class c ON c.oid = u.oid AND c.relkind = 'v'
             GROUP BY c.oid, c.relowner, c.relnamespace, c.relname, c.reloptions, c.relacl ORDER BY max(u.depth) DESC LOOP
        restored := ARRAY(
            SELECT format('CREATE VIEW %s%s AS %s', v.name, ' WITH (' || array_to_string(v.reloptions, ', ') || ')', pg_get_viewdef(v.oid))
            UNION ALL
            SELECT format('ALTER VIEW %s OWNER TO %I', v.name, pg_get_userbyid(v.relowner)) WHERE pg_get_userbyid(v.relowner) <> current_user
            UNION ALL
            SELECT format('GRANT %s%s ON %s TO %s%s', g.privilege_type, granted.columns, v.name,
                          CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(g.grantee)) END,
                          CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END)
            FROM (SELECT v.relacl, '' UNION ALL
                  SELECT a.attacl, format(' (%I)', a.attname) FROM pg_attribute a WHERE a.attrelid = v.oid) AS granted (acl, columns),
                 aclexplode(granted.acl) AS g
            WHERE g.grantee <> v.relowner
            UNION ALL
            SELECT format('COMMENT ON VIEW %s IS %L', v.name, obj_description(v.oid, 'pg_class'))
            UNION ALL
            SELECT format('COMMENT ON COLUMN %s.%I IS %L', v.name, a.attname, col_description(v.oid, a.attnum))
            FROM pg_attribute a WHERE a.attrelid = v.oid AND col_description(v.oid, a.attnum) IS NOT NULL) || restored;
        EXECUTE format('DROP VIEW %s', v.name);
    END LOOP;
    EXECUTE format('ALTER TABLE %s %s', relation, actions);
    FOREACH again IN ARRAY restored LOOP
        EXECUTE again;
    END LOOP;
END $$;
