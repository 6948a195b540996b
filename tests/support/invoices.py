"""Invoices of KSRTC, whose operator is `meera`."""

from typing import TYPE_CHECKING, Any

from psycopg.types.json import Jsonb

from tests.support.schema_api import ASHA, Answer, SchemaApi, check

if TYPE_CHECKING:
    from tests.conftest import Database

GST = {"name": "GST", "percent": "5", "number": "29AAACK1234A1Z5"}


def put_invoicing(api: SchemaApi, account: str = "meera", **args: Any) -> Answer:
    """Call api.put_invoicing as an account."""
    fields = Jsonb({"account": account, **args})
    ((refused, answer),) = api.conn.execute("SELECT refused, answer FROM api.put_invoicing(%s)", [fields])
    assert refused is ("reason" in answer)
    check("put_invoicing", answer)
    return dict(answer)


def publish(api: SchemaApi) -> None:
    """Publish all events, which issues the invoices."""
    while api.conn.execute("SELECT api.publish_events(500)").fetchall()[0][0]:
        pass


def publish_events(database: "Database") -> None:
    """Publish all events of a database, which a server may be publishing too."""
    unpublished = "SELECT EXISTS (SELECT FROM events WHERE position IS NULL)"
    while database.value(unpublished):
        database.query("SELECT api.publish_events(500)")


def invoices_of(api: SchemaApi, booking: Answer, **args: Any) -> list[Answer]:
    """The invoices of a booking, as its owner reads them, after all events are published."""
    publish(api)
    shown = api.read("invoice", **{"reference": booking["reference"], "phone": ASHA, **args})
    return list(shown["invoices"])


def numbers(invoices: list[Answer]) -> list[str]:
    return [invoice["number"] for invoice in invoices]
