"""Random lines and requests from several threads: none of them causes an internal error or wrong data.

BUSWARE_FUZZ_INPUTS is the number of inputs. A failure prints a seed, and BUSWARE_FUZZ_SEED repeats the inputs
of that run; only the references of bookings in them, and the order in which threads send, differ.
"""

import json
import logging
import os
import re
import secrets
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_network
from types import SimpleNamespace

import pytest

from tests.conftest import WAIT_SECONDS, Database, LineClient
from tests.support.fuzz import Fuzz
from tests.support.http_client import HttpClient
from tests.support.line_client import reset_on_close

INPUTS = int(os.environ.get("BUSWARE_FUZZ_INPUTS", "3000"))
SEED = os.environ.get("BUSWARE_FUZZ_SEED") or secrets.token_hex(4)
THREADS = 4  # half of them send lines, half of them HTTP requests
LINES_AT_ONCE = 10
INTERNAL_ERROR = re.compile(rb"-32603|Internal error of the server|^HTTP/1\.1 500", re.MULTILINE)
STATUS = re.compile(rb"^HTTP/1\.1 (\d+)", re.MULTILINE)

pytestmark = pytest.mark.settings(
    attempts_per_address=10**6, attempts_per_booking=10**6, attempts_per_account=10**6,
    says_per_minute=10**6, password_wait_seconds=60, exempt_networks=(ip_network("127.0.0.0/8"),),
)  # fmt: skip


def send_lines(fuzz: Fuzz, count: int, connect: Callable[[], LineClient], found: list[object]) -> None:
    """Send lines, and read their replies; found: the replies that no input may have."""
    client = connect()
    for number in range(0, count, LINES_AT_ONCE):
        lines = b"".join(fuzz.line() for _ in range(LINES_AT_ONCE))
        last = f"last {number}"
        reply = b"?"
        with suppress(OSError):
            client.send(lines + json.dumps({"jsonrpc": "2.0", "id": last, "method": "ping"}).encode() + b"\n")
            while (reply := client.receive()) and last.encode() not in reply:
                if INTERNAL_ERROR.search(reply):
                    found.append((lines, reply))
                fuzz.learn(reply)
        if last.encode() not in reply:  # a line has ended the connection
            client.close()
            client = connect()
    client.close()


def send_requests(fuzz: Fuzz, count: int, port: int, found: list[object], statuses: set[bytes]) -> None:
    """Send HTTP requests, and read their responses, or leave before; statuses: those of the responses."""
    for _ in range(count):
        request, is_answered = fuzz.http_request()
        with socket.create_connection(("127.0.0.1", port), WAIT_SECONDS) as connection, suppress(OSError):
            connection.sendall(request)
            if fuzz.random.random() < 0.05:
                reset_on_close(connection)
                continue
            if not is_answered:  # else the server would close at this, without an answer
                connection.shutdown(socket.SHUT_WR)
            response = b""
            with suppress(TimeoutError):
                while chunk := connection.recv(65536):
                    response += chunk
            fuzz.learn(response)
            statuses.update(STATUS.findall(response))
            if INTERNAL_ERROR.search(response) or (is_answered and not response.startswith(b"HTTP/1.1 ")):
                found.append((request, response))


def admin(server: SimpleNamespace, database: Database) -> str:
    """A token of an admin, who may send every request."""
    client = LineClient(server.host, server.port)
    token = client.call("register", username="boss", password="correct horse")["token"]
    database.query("UPDATE accounts SET role = 'admin'")
    client.close()
    return str(token)


def test_random_input_causes_no_internal_error(
    server: SimpleNamespace, http: HttpClient, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    print(f"BUSWARE_FUZZ_SEED={SEED}")
    token = admin(server, database)
    found: list[object] = []
    finished: list[int] = []
    statuses = set[bytes]()

    def run(number: int) -> None:
        fuzz, count = Fuzz(f"{SEED} {number}", token), INPUTS // THREADS

        def connect() -> LineClient:
            client = LineClient(server.host, server.port)
            if fuzz.random.random() < 0.5:
                client.call("login", token=token)
            return client

        if number % 2:
            send_lines(fuzz, count, connect, found)
        else:
            send_requests(fuzz, count, http.server.port, found, statuses)
        finished.append(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(finished) == list(range(THREADS))
    assert found == []
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR or record.exc_info]
    assert [record.getMessage() for record in errors] == []
    client = LineClient(server.host, server.port)
    assert client.call("ping")["server"] == "busware"
    client.close()
    assert http.call("GET", "/v1/places").status_code == 200
    assert database.query("SELECT * FROM api.audit()") == []
    assert database.value("SELECT count(*) FROM passengers") > 0  # some of the input was right
    assert statuses >= {b"200", b"400", b"401", b"404"}
