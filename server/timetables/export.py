"""The documents of a database: services, and the places of their stops."""

from typing import Any

import psycopg

from busware.server.protocol.services import ServiceData
from busware.server.timetables.documents import PlaceData, fields_of

Data = dict[str, Any]

_SERVICES = """
    SELECT api.service(s.bus_id) FROM bus_info s WHERE s.operator = %(operator)s OR %(operator)s IS NULL
    ORDER BY s.bus_id"""
# A place that contains others is above them, so that a file has it before they name it.
_PLACES = """
    WITH RECURSIVE used AS (
        SELECT p.code, p.part_of, 0 AS level FROM places p WHERE p.code IN (
            SELECT r.place FROM route_table r JOIN bus_info s USING (bus_id)
            WHERE s.operator = %(operator)s OR %(operator)s IS NULL)
        UNION
        SELECT p.code, p.part_of, used.level + 1 FROM places p JOIN used ON used.part_of = p.code
    )
    SELECT to_jsonb(p) FROM places p JOIN used ON used.code = p.code
    GROUP BY p.code ORDER BY max(used.level) DESC, p.code"""


def read(conn: psycopg.Connection, operator: str | None) -> tuple[list[Data], list[Data]]:
    """The places and the services of an operator, or all of them. The connection is in a transaction."""
    rows = [conn.execute(query, {"operator": operator}).fetchall() for query in (_PLACES, _SERVICES)]
    places, services = ([document for (document,) in found] for found in rows)
    return _ordered(places, PlaceData), _ordered(services, ServiceData)


def _ordered(documents: list[Data], struct: type) -> list[Data]:
    """The documents with their fields in the order of the struct, which jsonb does not keep."""
    return [{name: document[name] for name in fields_of(struct)} for document in documents]
