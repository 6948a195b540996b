"""Reports and lists of an operator have the same content with two shards as with one database."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from busware.server.db import schema
from busware.server.settings import Settings
from tests.conftest import Database
from tests.support.project import TIMETABLE
from tests.support.schema_api import ASHA, Answer, check
from tests.support.shards import STOPS, ShardedInstallation

pytestmark = pytest.mark.system

Connection = psycopg.Connection[Any]
OPERATOR, ACCOUNT, ADMIN = "Sum Lines", "sumlines", "admin"
PLAIN, ONLINE = (
    (301, 302),
    (303, 304),
)  # services that are paid at once, and to a provider; one of each in a shard
FOREIGN = {"currency": "USD"}  # of service 302
PERIOD = {"from": str(date.today() - timedelta(days=1)), "to": str(date.today() + timedelta(days=10))}
REPORTS: list[tuple[str, Answer]] = [
    *(
        ("sales", {"group": group, "by": by})
        for group in ("service", "date", "segment", "agent")
        for by in ("travel", "payment")
    ),
    ("sales", {"from": "2020-01-01", "to": "2020-01-02"}),
    ("accounts", {}),
    ("accounts", {"account": ADMIN, "operator": OPERATOR}),
    ("accounts", {"account": ADMIN, "operator": "Nobody"}),
]


def add_services(conn: Connection) -> None:
    """Add the services of the operator, as far as the database keeps them."""
    conn.execute(
        "SELECT api.add_service(n, 'Bus ' || n, %s, E'...D\nss.ss\nss.ss', sales_days => 14, stops => %s) "
        "FROM generate_series(%s::int, %s) AS n",
        (OPERATOR, STOPS, PLAIN[0], ONLINE[1]),
    )
    kept = conn.execute("SELECT bus_id FROM bus_info WHERE operator = %s", [OPERATOR])
    for (bus_id,) in kept.fetchall():
        edit = {"bus_id": bus_id, "operator": OPERATOR}
        edit |= {"payment": "manual"} if bus_id in ONLINE else {}
        edit |= FOREIGN if bus_id == PLAIN[1] else {}
        conn.execute("SELECT api.put_service(NULL, %s)", (Jsonb(edit),))
        conn.execute("SELECT api.open_sales(%s)", (bus_id,))


def add_accounts(conn: Connection) -> None:
    conn.execute("SELECT api.add_operator(%s, 'no hash', %s)", (ACCOUNT, OPERATOR))
    conn.execute("SELECT api.add_operator(%s, 'no hash')", (ADMIN,))


@pytest.fixture(scope="module")
def proxy(sharded: ShardedInstallation) -> Iterator[Connection]:
    for machine in sharded.shards:
        with machine.connect() as conn:
            add_services(conn)
    with sharded.proxy.connect() as conn:
        add_accounts(conn)
        sell(conn)
        yield conn
    assert sharded.audit() == []


@pytest.fixture
def single(empty_database: Database, away_from_midnight: None) -> Connection:
    """One database with the same services and sales."""
    schema.prepare(empty_database.owner, empty_database.server, Settings(seed=False))
    conn = empty_database.conn
    conn.execute(TIMETABLE.read_bytes())
    add_services(conn)
    add_accounts(conn)
    sell(conn)
    return conn


def write(conn: Connection, method: str, **args: Any) -> Answer:
    calls = [{"method": method, "args": args, "key": None}]
    ((refused, answer),) = conn.execute(
        "SELECT refused, answer FROM api.batch(%s)", (Jsonb(calls),)
    ).fetchall()
    assert not refused, answer
    return dict(answer)


def read(conn: Connection, method: str, **args: Any) -> Answer:
    named = {"account": ACCOUNT} | args
    ((_, answer),) = conn.execute("SELECT * FROM api.read(%s, %s)", (method, Jsonb(named))).fetchall()
    check(method, answer)
    return dict(answer)


def sell(conn: Connection) -> None:
    """Sell tickets of several segments and dates, and cancel some of them."""
    for bus_id in PLAIN + ONLINE:
        for n in range(3):
            day = str(date.today() + timedelta(days=3 + n % 2))
            wanted = {
                "bus_id": bus_id,
                "travel_date": day,
                "from_stop": 1,
                "to_stop": 5 - n,
                "count": n + 1,
                "phone": ASHA,
            }
            if bus_id in PLAIN:
                booking = write(conn, "book", **wanted)
            else:
                booking = write(conn, "hold", **wanted)
                pay(conn, booking)
            if n:
                write(conn, "cancel", reference=booking["reference"], phone=ASHA, tickets=[1])


def pay(conn: Connection, held: Answer) -> None:
    payment = write(conn, "pay", reference=held["reference"], phone=ASHA)
    report = {name: payment[name] for name in ("provider_reference", "amount", "currency")}
    report["provider"] = "manual"
    write(conn, "settle_payment", reference=held["reference"], account=ACCOUNT, plan=False, payment=report)


def pages(conn: Connection, method: str, limit: int, **args: Any) -> list[list[Answer]]:
    """All pages of a list."""
    found, after = [], {}
    while True:
        page = read(conn, method, limit=limit, **args, **after)
        found.append(next(value for value in page.values() if isinstance(value, list)))
        if "next" not in page:
            return found
        after = {"after": page["next"]}


@pytest.fixture
def same(proxy: Connection, single: Connection) -> Callable[..., Answer]:
    def compare(method: str, **args: Any) -> Answer:
        """A report, which is the same in both installations."""
        one, several = (read(conn, method, **args) for conn in (single, proxy))
        assert one == several
        return one

    return compare


def test_reports_are_those_of_one_database(same: Callable[..., Answer]) -> None:
    reports = [same(method, **PERIOD | args) for method, args in REPORTS]
    assert [total["currency"] for total in reports[0]["totals"]] == ["INR", "USD"]
    assert {row["bus_id"] for row in reports[0]["rows"]} == {*PLAIN, *ONLINE}
    assert reports[-1]["reason"] == "bad_request"


@pytest.mark.parametrize(("method", "size"), [("refunds", 4), ("operator_payments", 6)])
def test_lists_are_paged_over_all_shards(proxy: Connection, method: str, size: int) -> None:
    (whole, *rest) = pages(proxy, method, 50)
    small = pages(proxy, method, 2)
    assert (len(whole), rest) == (size, [])
    assert [row for page in small for row in page] == whole
    assert {row["bus_id"] for row in whole} == {*ONLINE}
    if method == "operator_payments":
        times = [row["created_at"] for row in whole]
        assert times == sorted(times, reverse=True)


def test_a_refund_is_settled_in_its_shard(proxy: Connection) -> None:
    for bus_id in ONLINE:
        owed = read(proxy, "refunds")["refunds"]
        refund = next(refund for refund in owed if refund["bus_id"] == bus_id)
        args = {"account": ACCOUNT} | {name: refund[name] for name in ("reference", "refund_id")}
        ((refused, answer),) = proxy.execute("SELECT * FROM api.settle_refund(%s)", (Jsonb(args),)).fetchall()
        assert not refused, answer
        left = read(proxy, "refunds")["refunds"]
        assert [row["refund_id"] for row in left] == [
            row["refund_id"] for row in owed if row["refund_id"] != refund["refund_id"]
        ]


def test_a_report_is_refused_while_a_shard_is_away_or_moved(proxy: Connection) -> None:
    for change, undo, error in (
        (
            "UPDATE shards.databases SET away = true WHERE database_no = 2",
            "UPDATE shards.databases SET away = false",
            "BW065",
        ),
        (
            "UPDATE shards.map SET moves = true WHERE virtual_shard = 5",
            "UPDATE shards.map SET moves = false",
            "BW064",
        ),
    ):
        proxy.execute(change)
        try:
            with pytest.raises(psycopg.Error) as raised:
                read(proxy, "sales", **PERIOD)
        finally:
            proxy.execute(undo)
        assert raised.value.sqlstate == error
