"""Forms whose answer is lost after the commit, because the server dies, and that are sent again."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from signal import SIGKILL

import pytest
import requests

from tests.conftest import Database
from tests.support.line_client import wait_until
from tests.support.page_visitor import PHONE, Form, Visitor
from tests.support.processes import ServerProcess
from tests.support.serving import travel_day
from tests.support.tcp_proxy import TcpProxy

pytestmark = pytest.mark.system


def passengers(visitor: Visitor, day: str) -> Form:
    """The form that holds a seat."""
    search = f"/trips?kind=bus&origin=Bengaluru&destination=Mysuru&date={day}&seats=1"
    return visitor.choose(search=search).form("/passengers")


@pytest.mark.parametrize(
    ("sent", "statuses", "shown"),
    [("hold", ["held", "held"], "Held for you"), ("confirm", ["booked"], "Your ticket")],
)
def test_form_whose_answer_was_lost_books_once(
    database: Database, urls: dict[str, str], sent: str, statuses: list[str], shown: str
) -> None:
    with (
        closing(TcpProxy(database.server)) as proxy,
        ServerProcess("0", **urls | {"BUSWARE_LISTEN_URL": proxy.url}) as server,
        ThreadPoolExecutor(1) as threads,
    ):
        visitor = Visitor(server.http_url)
        day = travel_day(database)
        held = visitor.send(passengers(visitor, day), phone=PHONE)  # it also connects the writer
        form = passengers(visitor, day) if sent == "hold" else held.form("/confirm")
        proxy.hold_replies()  # the writer waits for them, so the form is not answered

        def send() -> None:
            with suppress(requests.ConnectionError):
                visitor.send(form, phone=PHONE)

        threads.submit(send)
        wait_until(lambda: database.query("SELECT status FROM passengers") == statuses)
        server.end(SIGKILL)
    with ServerProcess("0", **urls) as server, closing(visitor.session):
        visitor.url = server.http_url
        page = visitor.send(form, phone=PHONE)
        assert (page.status, shown in page.text) == (200, True)
        assert database.query("SELECT status FROM passengers") == statuses
