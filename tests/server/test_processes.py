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
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from busware.server.embedded.data_folder import read_urls
from busware.server.ports import PortError, check_ports, share_port
from busware.server.settings import Settings
from busware.server.supervisor import Supervisor
from tests.conftest import Database
from tests.support.line_client import WAIT_SECONDS, LineClient, wait_until
from tests.support.operator import Operator
from tests.support.processes import ServerProcess, fail_to_start, running_on, start, wait_for_end
from tests.support.schema_api import audit
from tests.support.serving import on_each_process, serving, travel_day
from tests.support.transcript import ASHA, transcript

pytestmark = pytest.mark.system

TRIP = {"bus_id": 1, "origin": "Bengaluru", "destination": "Mysuru", "phone": ASHA}


# One port --------------------------------------------------------------------------------------


def test_clients_are_distributed_and_see_one_database(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with ServerProcess("0", "--processes", "3", **urls) as server:
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
        status, output = server.end(signal.SIGTERM)
        assert status == 0
        assert "Traceback" not in output
    assert serving(database) == []
    assert audit(database.conn) == []


def test_messages_and_promotions_reach_clients_of_other_processes(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with ServerProcess("0", "--processes", "2", **urls) as server:
        holder, waiting = on_each_process(database, server.port, line_to)
        booked = holder.call("book", travel_date=day, count=6, **TRIP)
        waiting.call("book", travel_date=day, count=3, waitlist=True, **TRIP)
        holder.call("cancel", reference=booked["reference"], phone=ASHA)
        assert b'"method":"booking_changed"' in waiting.receive()
        database.query("SELECT api.notice('Hello to all.')")
        for line in (holder, waiting):
            assert b'"text":"Hello to all."' in line.receive()


def test_killed_worker_is_replaced(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with ServerProcess("0", "--processes", "2", **urls) as server:
        before = serving(database)
        lines = on_each_process(database, server.port, line_to)
        reference = lines[0].call("book", travel_date=day, seats=[1], **TRIP)["reference"]
        os.kill(before[0], signal.SIGKILL)
        wait_for_end(before[:1])
        after = wait_until(
            lambda: before[0] not in (alive := serving(database)) and len(alive) == 2 and alive
        )
        assert before[1] in after
        for line in on_each_process(database, server.port, line_to):
            assert line.call("booking", reference=reference, phone=ASHA)["status"] == "booked"
        assert (
            f"process {before[0]}, ended with status -9. Starting another process."
            in server.end(signal.SIGTERM)[1]
        )


def test_workers_drain_when_the_supervisor_is_killed(
    data_folder: Path, line_to: Callable[[int], LineClient]
) -> None:
    with ServerProcess("0", "--processes", "2", "--data", str(data_folder), BUSWARE_HTTP_PORT="0") as server:
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


def test_ctrl_c_reaches_only_the_supervisor(urls: dict[str, str], database: Database) -> None:
    with ServerProcess("0", "--processes", "2", **urls) as server:
        workers = serving(database)
        os.killpg(server.process.pid, signal.SIGINT)  # as a terminal does
        status, output = server.end()
        assert status == 0
        assert output.count("Stopping:") == 1
        assert "Traceback" not in output
        wait_for_end(workers)


def test_request_under_way_is_answered_before_the_stop(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    day = travel_day(database)
    with (
        ServerProcess("0", "--processes", "2", **urls) as server,
        closing(database.connect(autocommit=False)) as locking,
        ThreadPoolExecutor(1) as client,
    ):
        line = line_to(server.port)
        locking.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = %s FOR UPDATE", [day])
        answer = client.submit(line.call, "book", travel_date=day, seats=[1], **TRIP)
        wait_until_deferred(database)
        server.process.send_signal(signal.SIGTERM)
        wait_until(lambda: refuses(server.port))
        locking.commit()
        assert answer.result(WAIT_SECONDS)["status"] == "booked"
        assert server.end()[0] == 0


def wait_until_deferred(database: Database) -> None:
    """Wait until a writer has sent ten batches, because the trip of its call is locked."""
    last_batch = "SELECT max(query_start) FROM pg_stat_activity WHERE application_name = 'busware writer'"
    seen = set()

    def deferred() -> bool:
        seen.add(database.value(last_batch))
        return len(seen) >= 10

    wait_until(deferred)


def refuses(port: int) -> bool:
    """Whether no process listens on the port."""
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except ConnectionRefusedError:
        return True
    return False


def test_supervisor_runs_the_console(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    with Operator("0", "--processes", "2", **urls) as operator:
        port = int(operator.wait_for_match(r"serves on 127\.0\.0\.1:(\d+),"))
        operator.wait_for("This is the operator's console.")
        lines = on_each_process(database, port, line_to)
        for n, line in enumerate(lines):
            line.call("say", text=f"This is number {n}.")
            operator.wait_for(f"This is number {n}.")
        operator.type_line("all Welcome.")
        for line in lines:
            assert b'"text":"Welcome."' in line.receive()
        operator.type_line("exit")
        assert operator.wait_for_exit() == 0


# Ports ----------------------------------------------------------------------------------------


def test_two_servers_cannot_share_a_port(urls: dict[str, str]) -> None:
    with ServerProcess("0", "--processes", "2", **urls) as server:
        for processes in ("1", "2"):
            status, output = fail_to_start(str(server.port), "--processes", processes, **urls)
            assert status == 1
            assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use." in output
            assert "Traceback" not in output
    with ServerProcess("0", **urls) as server:
        status, output = fail_to_start(str(server.port), "--processes", "2", **urls)
        assert status == 1
        assert f"cannot listen on 127.0.0.1:{server.port}: Address already in use." in output


def test_port_of_another_program_with_so_reuseport_is_refused(urls: dict[str, str]) -> None:
    with closing(socket.create_server(("127.0.0.1", 0), reuse_port=True)) as other:
        port = other.getsockname()[1]
        status, output = fail_to_start(str(port), "--processes", "2", **urls)
        assert status == 1
        assert f"cannot listen on 127.0.0.1:{port}: Address already in use." in output


def test_shared_port_is_free_after_its_release() -> None:
    for host in ("127.0.0.1", "::1"):
        settings = Settings(host=host)
        with (
            share_port(settings, 0, "port") as port,
            pytest.raises(PortError, match="in use"),
            share_port(settings, port, "port"),
        ):
            pass
        with share_port(settings, port, "port") as again:
            assert again == port


def test_host_of_another_machine_is_refused() -> None:
    for host, reason in (("nosuch.invalid", "[Nn]ame "), ("192.0.2.1", "Cannot assign")):
        message = rf"cannot listen on {host}:0: .*{reason}.*\. BUSWARE_HOST"
        with pytest.raises(PortError, match=message):
            check_ports(Settings(host=host, port=0))
        with pytest.raises(PortError, match=message), share_port(Settings(host=host), 0, "port"):
            pass


def test_default_http_port_in_use_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as other:
        taken = other.getsockname()[1]
        with pytest.raises(PortError, match=r"Choose another port, such as \d+ \(BUSWARE_HTTP_PORT\)"):
            check_ports(Settings(port=0, http_port=taken))
        monkeypatch.setattr(Settings, "http_port", taken)  # the default
        assert check_ports(Settings(port=0, http_port=taken)).http_port == 0


# Workers ---------------------------------------------------------------------------------------


def test_worker_that_cannot_be_started_is_reported(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: Any, **options: Any) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr("busware.server.supervisor.subprocess.Popen", fail)
    supervisor = Supervisor(Settings(port=0, http_port=0, processes=2), "", print)
    with pytest.raises(OSError, match=r"worker \d does not start"):
        supervisor.start()
    supervisor.stop()
    assert "worker 1 cannot be started: [Errno 11] Resource temporarily unavailable" in caplog.text


def test_workers_do_not_know_the_password_of_the_owner(urls: dict[str, str], database: Database) -> None:
    password = urlsplit(database.owner).password
    with ServerProcess("0", "--processes", "2", **urls):
        workers = serving(database)
        assert len(workers) == 2
        for pid in workers:
            assert f":{password}@" not in Path(f"/proc/{pid}/environ").read_text()


def test_killed_workers_are_replaced_when_their_output_cannot_be_printed(
    urls: dict[str, str], database: Database, line_to: Callable[[int], LineClient]
) -> None:
    with start("0", "--processes", "2", stderr=subprocess.PIPE, **urls) as server:
        assert server.stdout
        assert server.stderr
        ready = next(line for line in server.stdout if "serves on" in line)
        server.stderr.close()
        before = serving(database)
        port = int(ready.split(",")[0].rpartition(":")[2])
        on_each_process(database, port, line_to)  # each worker logs a connection
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        wait_for_end(before)
        workers = wait_until(
            lambda: len(now := serving(database)) == 2 and not set(now) & set(before) and now
        )
        server.kill()
        wait_for_end(workers)


# Two servers -----------------------------------------------------------------------------------


class ReplyReader(LineClient):
    """A client that skips notifications while it waits for a reply."""

    def ask(self, line: bytes | str | object) -> Any:
        self.send(line)
        while "id" not in (answer := json.loads(self.receive())):
            assert answer["method"] == "booking_changed"
        return answer


def test_two_servers_and_their_processes_on_one_database(urls: dict[str, str], database: Database) -> None:
    """Clients of two servers with two processes each compete for a few seats."""
    day = travel_day(database)
    settings = urls | {"BUSWARE_EXEMPT_NETWORKS": "127.0.0.0/8"}  # the clients hold more than one address may
    with (
        ServerProcess("0", "--processes", "2", **settings) as first,
        ServerProcess("0", "--processes", "2", **settings) as second,
        ExitStack() as stack,
    ):
        assert len(serving(database)) == 4
        lines = [ReplyReader(server.host, server.port) for server in (first, second) for _ in range(6)]
        for line in lines:
            stack.callback(line.close)

        def compete(n: int) -> None:
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
            list(clients.map(compete, range(len(lines))))
        assert audit(database.conn) == []
        live = "SELECT count(*) FROM passengers WHERE status IN ('held', 'booked', 'pending')"
        assert database.value(live) == 0
