"""The documents of a database: services, and the places of their stops."""

from typing import Any

import psycopg

from busware.server.protocol.services import ServiceData

Data = dict[str, Any]

_SERVICES = """
    SELECT api.service(s.bus_id) FROM bus_info s WHERE s.operator = %(operator)s OR %(operator)s IS NULL
    ORDER BY s.bus_id"""
# A place comes before the places that it contains, because they name it in part_of.
_PLACES = """
    WITH RECURSIVE used AS (
        SELECT p.code, p.part_of, 0 AS level FROM places p WHERE p.code IN (
            SELECT r.place FROM route_table r JOIN bus_info s USING (bus_id)
            WHERE s.operator = %(operator)s OR %(operator)s IS NULL)
        UNION
        SELECT p.code, p.part_of, used.level + 1 FROM places p JOIN used ON used.part_of = p.code
    )
    SELECT json_strip_nulls(json_build_object(
        'code', p.code, 'name', p.name, 'aliases', p.aliases, 'part_of', p.part_of, 'time_zone', p.time_zone,
        'latitude', p.latitude, 'longitude', p.longitude))
    FROM places p JOIN used ON used.code = p.code GROUP BY p.code ORDER BY max(used.level) DESC, p.code"""


def read(conn: psycopg.Connection, operator: str | None) -> tuple[list[Data], list[Data]]:
    """The places and the services of an operator, or all of them. The connection is in a transaction."""
    rows = [conn.execute(query, {"operator": operator}).fetchall() for query in (_PLACES, _SERVICES)]
    places, services = ([document for (document,) in found] for found in rows)
    order = dict.fromkeys(("bus_id", *ServiceData.__struct_encode_fields__))  # which jsonb loses
    return places, [{name: service[name] for name in order} for service in services]
