"""The views for reports, and the role that docs/administration.md makes, which reads nothing else."""

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql

from tests.conftest import Database
from tests.support.project import PROJECT
from tests.support.schema_api import ASHA, SchemaApi

VIEWS = {
    "account_entries",
    "accounts",
    "invoices",
    "occupancy",
    "payments",
    "provider_fees",
    "sales",
    "services",
    "settlements",
    "tickets",
    "trips",
}


@pytest.fixture
def reports(database: Database) -> Iterator[psycopg.Connection[Any]]:
    """The owner's connection, with the rights of the documented role."""
    page = (PROJECT / "docs" / "administration.md").read_text()
    ((commands),) = re.findall(r"```\n(CREATE ROLE reports .*?)```", page, re.DOTALL)
    try:
        database.query(re.sub(r"\breports\b", "reports_of_test", commands))
        database.query("SET ROLE reports_of_test")
        yield database.conn
    finally:
        database.query("RESET ROLE")
        database.query("DROP OWNED BY reports_of_test")
        database.query("DROP ROLE reports_of_test")


def test_role_reads_the_views_for_reports(api: SchemaApi, reports: psycopg.Connection[Any]) -> None:
    sold = api.book(1, 2, passengers=[{"name": "Asha"}, {"name": "Ravi"}])
    api.cancel(sold, 2)
    api.hold(3)
    api.conn.execute("UPDATE passengers SET expires_at = now() + interval '1 hour' WHERE status = 'held'")
    ticket = reports.execute(
        "SELECT kind, service, ticket_no, seat_no, origin, destination, status, fare::text "
        "FROM busware_reports.tickets WHERE reference = %s AND ticket_no = 1",
        [sold["reference"]],
    ).fetchall()
    assert ticket == [("bus", "Day Bus", 1, 1, "Bengaluru", "Mysuru", "booked", sold["tickets"][0]["fare"])]
    ((booked, held, pending, seats, income),) = reports.execute(
        "SELECT booked, held, pending, seats, income FROM busware_reports.trips WHERE booked > 0"
    ).fetchall()
    ((paid,),) = reports.execute(
        "SELECT sum(CASE kind WHEN 'charge' THEN amount ELSE -amount END) FROM busware_reports.payments"
    ).fetchall()
    assert (booked, held, pending, seats, income) == (1, 1, 0, 8, paid)
    services = "SELECT origin, destination, seats FROM busware_reports.services WHERE bus_id = 1"
    assert reports.execute(services).fetchall() == [("Bengaluru", "Mysuru", 8)]


def test_views_for_reports_have_no_personal_data(api: SchemaApi, reports: psycopg.Connection[Any]) -> None:
    api.book(1, passengers=[{"name": "Ashadevi"}])
    for view in VIEWS:
        rows = reports.execute(sql.SQL("SELECT * FROM busware_reports.{}").format(sql.Identifier(view)))
        shown = repr(rows.fetchall())
        assert ASHA[-10:] not in shown
        assert "Ashadevi" not in shown


def test_no_reference_in_the_views_opens_a_booking(api: SchemaApi, reports: psycopg.Connection[Any]) -> None:
    api.conn.execute("UPDATE bus_info SET phone_required = false")
    sold = [
        api.book(1),
        api.book(2, phone=None, account="asha"),
        api.book(3, account="asha"),
        api.book(4, phone=None),
    ]
    for view in ("tickets", "payments"):
        query = sql.SQL("SELECT reference FROM busware_reports.{}").format(sql.Identifier(view))
        shown = [reference for (reference,) in reports.execute(query)]
        assert len(shown) == 4
        assert {*shown} == {*(booking["reference"] for booking in sold[:3]), None}
        for reference in filter(None, shown):
            assert api.read("booking", reference=reference)["reason"] == "unknown_booking"
    assert api.read("booking", reference=sold[3]["reference"])["status"] == "booked"


def test_role_reads_nothing_else(database: Database, reports: psycopg.Connection[Any]) -> None:
    relations = database.query(
        "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relkind IN ('r', 'p', 'v', 'm') AND has_table_privilege(c.oid, 'SELECT') "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
    )
    assert {name for schema, name in relations if schema == "busware_reports"} == VIEWS
    assert {schema for schema, _ in relations} == {"busware_reports"}
    for statement in (
        "SELECT phone FROM public.passengers",
        "SELECT * FROM public.bookings",
        "SELECT api.stats()",
        "DELETE FROM public.payments",
        "CREATE TABLE busware_reports.mine (n int)",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reports.execute(statement)  # type: ignore[call-overload]
