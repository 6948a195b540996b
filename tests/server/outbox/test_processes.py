"""Servers in their own processes that send mails: killed, two at once, and with the embedded database."""

import signal
from pathlib import Path

import psycopg
import pytest

from busware.server.embedded.data_folder import read_urls
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, wait_until
from tests.support.mail_server import MailServer, mail_server  # noqa: F401 - a fixture
from tests.support.processes import ServerProcess, start
from tests.support.project import TIMETABLE
from tests.support.schema_api import SchemaApi
from tests.support.serving import travel_day

pytestmark = pytest.mark.system

EMAIL = "asha@example.net"
SEATS = 8  # of service 1
FINISHING = (
    "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%api.finish_outbox%'"
)


def sent_ids(mail_server: MailServer) -> list[str]:  # noqa: F811
    """The Message-ID of each mail that has arrived."""
    return [mail["Message-ID"] for _, _, mail in mail_server.mails]


@pytest.mark.parametrize(
    ("killed_at", "arrives"), [("EHLO", 1), ("DATA", 1), ("STORED", 2), ("before the row is finished", 2)]
)
def test_mail_of_a_killed_server_is_sent_by_the_next_one(
    urls: dict[str, str],
    database: Database,
    mail_server: MailServer,  # noqa: F811
    killed_at: str,
    arrives: int,
) -> None:
    mail_server.hangs_at = "STORED" if killed_at == "before the row is finished" else killed_at
    environment = mail_server.environment(**urls)
    SchemaApi(database.conn).book(1, travel_date=travel_day(database), email=EMAIL)
    with database.connect(autocommit=False) as other, ServerProcess("0", **environment) as killed:
        assert mail_server.hanging.wait(WAIT_SECONDS)
        if killed_at == "before the row is finished":  # the lock lets the statement wait that finishes it
            other.execute("SELECT FROM outbox WHERE attempts = 1 FOR UPDATE")
            mail_server.resume()
            finishing = wait_until(lambda: database.query(FINISHING))
            killed.end(signal.SIGKILL)
            database.query("SELECT pg_terminate_backend(%s)", *finishing)
            wait_until(lambda: not database.query(FINISHING))
        else:
            killed.end(signal.SIGKILL)
    mail_server.hangs_at = ""
    assert database.query("SELECT state, attempts FROM outbox") == [("waiting", 1)]
    database.query(
        "CREATE OR REPLACE FUNCTION api.now() RETURNS timestamptz STABLE RETURN now() + interval '5 minutes'"
    )
    with ServerProcess("0", **environment) as following:
        wait_until(lambda: database.query("SELECT state, attempts FROM outbox") == [("done", 2)])
        assert following.end(signal.SIGTERM)[0] == 0
    assert sent_ids(mail_server) == [f"<{database.value('SELECT key FROM outbox')}@example.org>"] * arrives


def test_two_servers_send_each_mail_once(
    urls: dict[str, str],
    database: Database,
    mail_server: MailServer,  # noqa: F811
) -> None:
    """Each booking gets its ticket and five notices, in order."""
    day, api = travel_day(database), SchemaApi(database.conn)
    environment = mail_server.environment(**urls)
    with ServerProcess("0", **environment) as one, ServerProcess("0", **environment) as two:
        for seat in range(1, SEATS + 1):
            api.book(seat, travel_date=day, email=f"traveller{seat}@example.net")
        for n in range(1, 6):
            database.query("SELECT api.notice(%s, bus_id => 1, travel_date => %s)", f"Notice {n}.", day)
        rows = SEATS * 6
        wait_until(lambda: database.value("SELECT count(*) FROM outbox WHERE state = 'done'") == rows)
        for server in (one, two):
            assert server.end(signal.SIGTERM)[0] == 0
    keys = database.query("SELECT key FROM outbox WHERE attempts = 1")
    assert sorted(sent_ids(mail_server)) == sorted(f"<{key}@example.org>" for key in keys)
    for seat in range(1, SEATS + 1):
        received = [m for _, to, m in mail_server.mails if to == f"traveller{seat}@example.net"]
        texts = [mail.get_body(("plain",)).get_content() for mail in received]
        assert ["confirmed" in texts[0], *(f"Notice {n}." in texts[n] for n in range(1, 6))] == [True] * 6


def test_server_ends_in_time_while_a_mail_server_is_silent(
    urls: dict[str, str],
    database: Database,
    mail_server: MailServer,  # noqa: F811
) -> None:
    mail_server.hangs_at = "EHLO"
    environment = mail_server.environment(**urls, BUSWARE_DRAIN_SECONDS="0.5", BUSWARE_SMTP_SECONDS="600")
    SchemaApi(database.conn).book(1, travel_date=travel_day(database), email=EMAIL)
    with ServerProcess("0", **environment) as server:
        assert mail_server.hanging.wait(WAIT_SECONDS)
        status, output = server.end(signal.SIGTERM)
    assert status == 0, output
    assert "their rows are tried again" in output


def test_what_the_embedded_database_could_not_send_is_listed_and_tried_again(
    data_folder: Path,
    mail_server: MailServer,  # noqa: F811
) -> None:
    mail_server.answers["DATA"] = ["554 5.6.0 refused as spam", "250 OK"]
    environment = mail_server.environment(BUSWARE_DATA=str(data_folder))

    def outbox(*arguments: str) -> str:
        with start("outbox", *arguments, program=("-m", "server"), **environment) as command:
            output, _ = command.communicate(timeout=WAIT_SECONDS)
        assert command.returncode == 0, output
        return str(output)

    with ServerProcess("0", **environment) as server:
        found = read_urls(data_folder)
        assert found is not None
        with psycopg.connect(found.owner, autocommit=True) as conn:
            conn.execute(TIMETABLE.read_bytes())
            ((day,),) = conn.execute("SELECT max(travel_date)::text FROM trips").fetchall()
            reference = SchemaApi(conn).book(1, travel_date=day, email=EMAIL)["reference"]
            dead = "SELECT FROM outbox WHERE state = 'dead'"
            wait_until(lambda: conn.execute(dead).fetchall())
        listed = outbox()
        assert reference in listed and "refused as spam" in listed
        assert outbox("retry", "--all", "--yes") == "Rows that were tried again: 1.\n"
        wait_until(lambda: mail_server.mails)
        wait_until(lambda: outbox() == "Not sent: nothing.\n")
        assert server.end(signal.SIGINT)[0] == 0
