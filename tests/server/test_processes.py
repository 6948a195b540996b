"""Several processes on one port, and several servers on one database."""

import errno
import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest

from busware.server.embedded.data_folder import read_urls
from busware.server.settings import Settings
from busware.server.supervisor import READY, PortLock, Supervisor, Worker
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, LineClient, wait_until
from tests.support.operator import Operator
from tests.support.processes import Served, fail_to_start, running_on, wait_for_end
from tests.support.schema_api import audit
from tests.support.serving import on_each_process, serving, travel_day
from tests.support.transcript import ASHA, transcript

pytestmark = pytest.mark.system

TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


# One port --------------------------------------------------------------------------------------


def test_clients_of_one_port_are_spread_and_see_one_database(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with Served("0", "--processes", "3", **urls) as server:
        assert len(serving(database)) == 3
        assert server.process.pid not in serving(database)
        lines = on_each_process(database, server.port, line_to)
        with ThreadPoolExecutor(len(lines)) as clients:
            booked = list(
                clients.map(lambda line: line.call("book", travel_date=day, seats=[5], **TRIP), lines)
            )
        assert sorted("reference" in answer for answer in booked) == [False, False, True]
        (reference,) = (answer["reference"] for answer in booked if "reference" in answer)
        for line in lines:
            assert line.call("booking", reference=reference, phone=ASHA)["status"] == "booked"
        status, said = server.end(signal.SIGTERM)
        assert status == 0
        assert "Traceback" not in said
    assert serving(database) == []
    assert audit(database.conn) == []


def test_a_message_and_a_promotion_cross_processes(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with Served("0", "--processes", "2", **urls) as server:
        holder, waiting = on_each_process(database, server.port, line_to)
        booked = holder.call("book", travel_date=day, count=6, **TRIP)
        waiting.call("book", travel_date=day, count=3, waitlist=True, **TRIP)
        holder.call("cancel", reference=booked["reference"], phone=ASHA)
        assert b'"method":"booking_changed"' in waiting.receive()
        database.query("SELECT api.notice('Hello to all.')")
        for line in (holder, waiting):
            assert b'"text":"Hello to all."' in line.receive()


def test_a_process_that_dies_is_replaced(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with Served("0", "--processes", "2", **urls) as server:
        before = serving(database)
        lines = on_each_process(database, server.port, line_to)
        reference = lines[0].call("book", travel_date=day, seats=[1], **TRIP)["reference"]
        os.kill(before[0], signal.SIGKILL)
        wait_for_end(before[:1])
        now = wait_until(lambda: before[0] not in (alive := serving(database)) and len(alive) == 2 and alive)
        assert before[1] in now
        for line in on_each_process(database, server.port, line_to):
            assert line.call("booking", reference=reference, phone=ASHA)["status"] == "booked"
        assert f"process {before[0]}, ended with status -9: replaced" in server.end(signal.SIGTERM)[1]


def test_the_workers_end_with_the_supervisor_however_it_ends(
    data_folder: Path, line_to: Callable[[int], LineClient]
) -> None:
    with Served("0", "--processes", "2", "--data", str(data_folder), BUSWARE_HTTP_PORT="0") as server:
        urls = read_urls(data_folder)
        assert urls
        with psycopg.connect(urls.owner) as conn:
            names = conn.execute("SELECT name FROM processes WHERE role = 'server'").fetchall()
        workers = [int(name.rpartition(" ")[2]) for (name,) in names]
        assert len(workers) == 2
        client = line_to(server.port)
        transcript(client, "> say hello\nSent to the operator.")
        server.process.kill()
        assert client.receive() == b"Server: I am going down now. Good-bye."
        wait_for_end([*workers, *running_on(data_folder)])


def test_ctrl_c_reaches_the_supervisor_alone(urls: dict[str, str], database: Database) -> None:
    with Served("0", "--processes", "2", **urls) as server:
        workers = serving(database)
        os.killpg(server.process.pid, signal.SIGINT)  # what a terminal does
        status, said = server.end()
        assert status == 0
        assert said.count("Stopping:") == 1
        assert "Traceback" not in said
        wait_for_end(workers)


def test_an_answer_under_way_is_sent_before_the_stop(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with (
        Served("0", "--processes", "2", **urls) as server,
        closing(database.connect(autocommit=False)) as holder,
        ThreadPoolExecutor(1) as client,
    ):
        line = line_to(server.port)
        holder.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [day])
        answer = client.submit(line.call, "book", travel_date=day, seats=[1], **TRIP)
        wait_until_deferred(database)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server.port))
        holder.commit()
        assert answer.result(WAIT_SECONDS)["status"] == "booked"
        assert server.end()[0] == 0


def wait_until_deferred(database: Database) -> None:
    """Wait until a writer is at a batch again and again, since somebody holds its trip."""
    tries = "SELECT max(query_start) FROM pg_stat_activity WHERE application_name = 'busware writer'"
    seen = set()

    def deferred() -> bool:
        seen.add(database.value(tries))
        return len(seen) >= 10

    wait_until(deferred)


def refuses(port: int) -> bool:
    """Whether nobody listens there any more."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_the_supervisor_has_the_console(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    with Operator("0", "--processes", "2", **urls) as operator:
        port = int(operator.sees_match(r"serves on 127\.0\.0\.1:(\d+),"))
        operator.sees("This is the operator's console.")
        lines = on_each_process(database, port, line_to)
        for n, line in enumerate(lines):
            line.call("say", text=f"This is number {n}.")
            operator.sees(f"This is number {n}.")
        operator.types("all Welcome.")
        for line in lines:
            assert b'"text":"Welcome."' in line.receive()
        operator.types("exit")
        assert operator.ends() == 0


# The lock on the port --------------------------------------------------------------------------


def test_no_two_servers_share_a_port_unless_they_are_one(urls: dict[str, str]) -> None:
    with Served("0", "--processes", "2", **urls) as server:
        for processes in ("1", "2"):
            status, said = fail_to_start(str(server.port), "--processes", processes, **urls)
            assert status == 1
            assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use." in said
            assert "Traceback" not in said
    with Served("0", **urls) as server:
        status, said = fail_to_start(str(server.port), "--processes", "2", **urls)
        assert status == 1
        assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use." in said


def test_a_port_that_somebody_shares_by_the_same_option_is_taken(urls: dict[str, str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), reuse_port=True)) as stranger:
        port = stranger.getsockname()[1]
        status, said = fail_to_start(str(port), "--processes", "2", **urls)
        assert status == 1
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use." in said


def test_the_lock_is_free_again_when_it_is_let_go() -> None:
    for host in ("127.0.0.1", "::1"):
        lock = PortLock(host, 0)
        port = lock.take()
        other = PortLock(host, port)
        with pytest.raises(OSError, match="in use"):
            other.take()
        other.release()
        lock.release()
        again = PortLock(host, port)
        assert again.take() == port
        again.release()


def test_a_host_that_is_not_this_machine_is_told_as_such() -> None:
    for host, why in (("nosuch.invalid", "[Nn]ame "), ("192.0.2.1", "Cannot assign")):
        supervisor = Supervisor(Settings(host=host, port=0), "", "")
        with pytest.raises(OSError, match=rf"cannot listen on {host}:0: .*{why}.*\. BUSWARE_HOST"):
            supervisor.start()


def test_a_process_that_cannot_be_made_holds_nobody_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **how: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("busware.server.supervisor.subprocess.Popen", fail)
    with pytest.raises(OSError, match="worker 1 does not start"):
        Supervisor(Settings(port=0, http_port=0, processes=2), "", "").start()
    assert "worker 1 cannot be started: [Errno 11] Resource temporarily unavailable" in caplog.text


def test_a_process_is_kept_when_nobody_reads_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def spawn(worker: Worker) -> "subprocess.Popen[str]":
        talks = ["sh", "-c", f"echo a line; echo {READY}; read _"]
        return subprocess.Popen(talks, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def write(text: str) -> None:
        raise BrokenPipeError

    monkeypatch.setattr(Worker, "_spawn", spawn)
    monkeypatch.setattr("sys.stderr", SimpleNamespace(write=write, flush=lambda: None))
    worker = Worker(1, Settings(), {})
    worker.start()
    assert worker._ready.wait(WAIT_SECONDS)
    worker.stop()
    worker.join()


# Two servers -----------------------------------------------------------------------------------


class Patient(LineClient):
    """A line that passes over what it is told without asking."""

    def ask(self, line: bytes | str | object) -> Any:
        self.send(line)
        while "id" not in (answer := json.loads(self.receive())):
            assert answer["method"] == "booking_changed"
        return answer


def test_two_servers_and_their_processes_on_one_database(urls: dict[str, str], database: Database) -> None:
    """Many clients of two servers, of two processes each, fight over a few seats."""
    day = travel_day(database)
    with (
        Served("0", "--processes", "2", **urls) as first,
        Served("0", "--processes", "2", **urls) as second,
        ExitStack() as stack,
    ):
        assert len(serving(database)) == 4
        lines = [Patient(server.host, server.port) for server in (first, second) for _ in range(6)]
        for line in lines:
            stack.callback(line.close)

        def fight(n: int) -> None:
            for _ in range(10):
                wanted = {"travel_date": day, **TRIP}
                if n % 3 == 0:
                    answer = lines[n].call("book", **wanted, count=2, waitlist=True)
                else:
                    answer = lines[n].call("hold", **wanted, seats=[n % 8 + 1])
                if "reference" not in answer:
                    assert answer["data"]["reason"] in ("seat_taken", "sold_out"), answer
                    continue
                do = "cancel" if n % 2 else "release" if answer["status"] == "held" else "cancel"
                ended = lines[n].call(do, reference=answer["reference"], phone=ASHA)
                assert ended["status"] == "cancelled", ended

        with ThreadPoolExecutor(len(lines)) as clients:
            list(clients.map(fight, range(len(lines))))
        assert audit(database.conn) == []
        live = "SELECT count(*) FROM passengers WHERE status IN ('held', 'booked', 'pending')"
        assert database.value(live) == 0
