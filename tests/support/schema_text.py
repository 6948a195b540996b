"""The schema of a database as text, the same on every PostgreSQL: to compare and to review."""

from typing import Any

import psycopg

from tests.support.project import PROJECT

REVIEWED = PROJECT / "tests" / "data" / "schema.txt"

# Each query returns a heading and its lines. Objects of extensions are left out.
_TABLES = """
SELECT format('%s %s', CASE relpersistence WHEN 'u' THEN 'UNLOGGED TABLE' ELSE 'TABLE' END, relname), ARRAY(
    SELECT format('    %s %s', a.attname, format_type(a.atttypid, a.atttypmod))
        || CASE WHEN a.attnotnull THEN ' NOT NULL' ELSE '' END
        || CASE WHEN d.adbin IS NULL THEN '' WHEN a.attgenerated <> '' THEN ' GENERATED ' ELSE ' DEFAULT ' END
        || coalesce(pg_get_expr(d.adbin, d.adrelid, true), '')
    FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
) || ARRAY(
    SELECT format('    CONSTRAINT %s %s', conname, pg_get_constraintdef(k.oid, true)) FROM pg_constraint k
    WHERE k.conrelid = c.oid AND contype <> 'n' ORDER BY conname      -- 18 lists NOT NULL, too
) || ARRAY(
    SELECT '    ' || pg_get_indexdef(i.indexrelid) FROM pg_index i
    WHERE i.indrelid = c.oid AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.indexrelid)
    ORDER BY i.indexrelid::regclass::text COLLATE "C"
)
FROM pg_class c WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace ORDER BY relname
"""
_SEQUENCES = """
SELECT format('SEQUENCE %s AS %s%s', sequencename, data_type, CASE WHEN cycle THEN ' CYCLE' END), '{}'::text[]
FROM pg_sequences WHERE schemaname = 'public' ORDER BY sequencename
"""
_COLUMNS = """
SELECT format('%s %s', CASE relkind WHEN 'v' THEN 'VIEW' ELSE 'TYPE' END, oid::regclass), ARRAY(
    SELECT format('    %s %s', a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
    WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
)
FROM pg_class c WHERE relkind IN ('c', 'v')
  AND relnamespace IN ('public'::regnamespace, 'api'::regnamespace, 'busware_reports'::regnamespace)
ORDER BY relkind DESC, relnamespace::regnamespace::text = 'busware_reports', relname
"""
_FUNCTIONS = """
SELECT format('FUNCTION %s.%s(%s)', pronamespace::regnamespace, proname, pg_get_function_arguments(p.oid)),
    ARRAY[format(
        '    RETURNS %s LANGUAGE %s %s%s%s', pg_get_function_result(p.oid), lanname,
        CASE provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
        CASE WHEN proisstrict THEN ' STRICT' END, CASE WHEN prosecdef THEN ' SECURITY DEFINER' END
    )]
FROM pg_proc p JOIN pg_language l ON l.oid = prolang
WHERE pronamespace IN ('public'::regnamespace, 'api'::regnamespace)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
ORDER BY pronamespace::regnamespace::text, proname, pg_get_function_identity_arguments(p.oid) COLLATE "C"
"""


def schema_text(conn: psycopg.Connection[Any]) -> str:
    """Tables, sequences, types, views and functions; of a function its signature, not its body."""
    lines: list[str] = []
    for query in (_TABLES, _SEQUENCES, _COLUMNS, _FUNCTIONS):
        for head, details in conn.execute(query).fetchall():
            lines += [head, *details]
        lines.append("")
    return "\n".join(lines[:-1]) + "\n"
