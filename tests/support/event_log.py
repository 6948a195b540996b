"""Compares the log of events with the bookings: no change without an event, and no event without a change."""

from typing import Any

import psycopg

# What may change without an event, and what an event has beside the booking: docs/events.md.
_OTHER_FIELDS = """(CASE WHEN {} ->> 'status' IN ('cancelled', 'expired')
    THEN '{{departs_at,arrives_at,scheduled_departs_at,scheduled_arrives_at}}'::text[] ELSE '{{}}' END
    || '{{position,vehicle,cause,why,cancelled,offer_state}}'::text[])"""

# The bookings whose last event has another state. A hold that has expired is shown so before its event.
_UNRECORDED = f"""
SELECT format('%%s changed after its event %%s', now.reference, last.type)
FROM (SELECT DISTINCT p.bus_id, p.reference FROM passengers p WHERE p.bus_id = ANY (%(bus_ids)s)
      EXCEPT SELECT p.bus_id, p.reference FROM passengers p
      WHERE p.status <> api.status_now(p.status, p.expires_at)) AS now
LEFT JOIN LATERAL (SELECT e.type, e.data FROM events e WHERE e.reference = now.reference
                   ORDER BY e.event_no DESC LIMIT 1) AS last ON true
CROSS JOIN LATERAL (SELECT (api.show_bookings(ARRAY[now.bus_id], ARRAY[now.reference]))[1]) AS shown (data)
WHERE last.data - {_OTHER_FIELDS.format("last.data")}
      IS DISTINCT FROM shown.data - {_OTHER_FIELDS.format("shown.data")}"""

# The events whose booking was the same after the transaction before. An exchange for the same seats is one.
_REPEATED = f"""
SELECT format('%%s repeats the state of %%s', type, reference) FROM (
    SELECT e.*, e.xmin::text AS transaction, lag(e.xmin::text) OVER of_booking AS earlier_transaction,
           lag(e.data) OVER of_booking AS before
    FROM events e WHERE e.reference IS NOT NULL AND e.bus_id = ANY (%(bus_ids)s)
    WINDOW of_booking AS (PARTITION BY e.reference ORDER BY e.event_no)) AS e
WHERE transaction <> earlier_transaction AND data ->> 'cause' IS DISTINCT FROM 'exchange'
  AND data - {_OTHER_FIELDS.format("data")} = before - {_OTHER_FIELDS.format("before")}"""


def differences(conn: psycopg.Connection[Any], *bus_ids: int) -> list[str]:
    """What the log of events and the bookings of some services do not agree on."""
    found = [conn.execute(query, {"bus_ids": list(bus_ids)}).fetchall() for query in (_UNRECORDED, _REPEATED)]
    return [line for rows in found for (line,) in rows]


def types(conn: psycopg.Connection[Any], *bus_ids: int) -> list[str]:
    """The types of the events of the trips of some services, in order."""
    query = "SELECT type FROM events WHERE reference IS NULL AND bus_id = ANY (%s) ORDER BY event_no"
    return [kind for (kind,) in conn.execute(query, (list(bus_ids),))]
