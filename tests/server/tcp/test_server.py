"""The TCP server: lines, limits, the order of replies, and draining."""

import dataclasses
import json
import logging
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.protocol import VERSION
from busware.server.tcp.lines import Lines
from busware.server.tcp.server import TcpServer
from tests.support.line_client import WAIT_SECONDS, reset_on_close, wait_until

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
PONG = (
    b'{"jsonrpc":"2.0","id":1,"result":{"server":"busware","version":"%s","time_zone":"Asia/Kolkata"}}'
    % VERSION.encode()
)
TRIP = {"bus_id": 1, "travel_date": "2026-12-02"}
BOOK = {**TRIP, "origin": "Bengaluru", "destination": "Mandya", "seats": [1], "phone": "9845012345"}


def request(method, id=1, **params):
    return json.dumps({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).encode() + b"\n"


@pytest.fixture
def locked_trip(database):
    """A database session that has locked the trip; commit() releases the lock."""
    with database.connect(autocommit=False) as conn:
        conn.execute("SELECT FROM trips WHERE bus_id = 1 AND travel_date = '2026-12-02' FOR UPDATE")
        yield conn


# Lines -----------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from([b"", b"a", b"bc", b"\r", b"\n", b"x\ry", b"12345", b"123456", b"1234567"])))
def test_lines_do_not_depend_on_the_chunks_received(chunks):
    """A line that is too long is truncated to a length that is still too long."""
    *lines, _ = b"".join(chunks).split(b"\n")
    parser = Lines(5)
    fed = [line for chunk in chunks for line in parser.feed(chunk)]
    assert [len(line) > 5 for line in fed] == [len(line.removesuffix(b"\r")) > 5 for line in lines]
    assert [line for line in fed if len(line) <= 5] == [
        line.removesuffix(b"\r") for line in lines if len(line.removesuffix(b"\r")) <= 5
    ]
    assert all(len(line) <= 7 for line in fed)


def test_a_request_and_its_reply(client_socket):
    client_socket.send(PING)
    assert client_socket.receive() == PONG


@pytest.mark.parametrize("ending", [b"\n", b"\r\n", b"\r\n\r\n\n"])
def test_line_ends(client_socket, ending):
    for _ in range(2):
        client_socket.send(PING.removesuffix(b"\n") + ending)
        assert client_socket.receive() == PONG


def test_a_line_sent_byte_by_byte(client_socket):
    client_socket.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in PING:
        client_socket.send(bytes([byte]))
    assert client_socket.receive() == PONG


@pytest.mark.parametrize("line", [b"hello\n", b" {}\n", b'"text"\n', b"\xff\xfe\n", b"\x00\n"])
def test_the_first_byte_selects_the_format(client_socket, line):
    client_socket.send(line)
    assert not client_socket.receive().startswith((b"{", b"["))
    client_socket.send(PING)
    assert client_socket.receive() == PONG


@pytest.mark.settings(max_line_bytes=2048)
@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_the_longest_line(client_socket, ending):
    client_socket.send(PING.removesuffix(b"\n").ljust(2048) + ending)
    assert client_socket.receive() == PONG


@pytest.mark.settings(max_line_bytes=2048)
@pytest.mark.parametrize("length", [2049, 2050, 2051, 16 * 1024, 1_000_000])
def test_a_line_that_is_too_long_is_discarded(client_socket, length):
    client_socket.send(PING.removesuffix(b"\n").ljust(length) + b"\n" + PING)
    assert client_socket.receive() == (
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32600,'
        b'"message":"The line is too long: at most 2048 bytes."}}'
    )
    assert client_socket.receive() == PONG


# Replies ---------------------------------------------------------------------------------------


def test_replies_come_in_the_order_of_the_requests(client_socket):
    client_socket.send(b"".join(request("ping" if n % 3 else "places", n) for n in range(200)))
    assert [json.loads(client_socket.receive())["id"] for _ in range(200)] == list(range(200))


def test_a_batch(client_socket):
    calls = [json.loads(request("ping", n)) for n in (1, 2)]
    calls.insert(1, {"jsonrpc": "2.0", "method": "ping"})
    client_socket.send(calls)
    assert client_socket.receive() == b"[" + PONG + b"," + PONG.replace(b'"id":1', b'"id":2') + b"]"


def test_a_notification_is_executed_and_has_no_reply(client_socket, database):
    client_socket.send({"jsonrpc": "2.0", "method": "book", "params": BOOK})
    client_socket.send([{"jsonrpc": "2.0", "method": "ping"}])
    client_socket.send(PING)
    assert client_socket.receive() == PONG
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_an_internal_error_is_logged_under_its_request_id(client_socket, database, caplog):
    database.query("DROP FUNCTION api.places(text, text)")
    reply = client_socket.call("places")
    assert reply == {
        "code": -32603,
        "message": "Something went wrong inside the server.",
        "data": {"request_id": reply["data"]["request_id"]},
    }
    assert f"request {reply['data']['request_id']} of client 1" in caplog.text
    assert "42883: function api.places(text, text) does not exist" in caplog.text
    client_socket.send(PING)
    assert client_socket.receive() == PONG


# Limits ----------------------------------------------------------------------------------------


@pytest.mark.settings(max_clients=2)
def test_clients_beyond_the_limit_are_refused(connect):
    first, second = connect(), connect()
    assert first.ask(PING) == second.ask(PING)
    third = connect()
    assert third.receive() == (
        b'{"jsonrpc":"2.0","id":null,"error":{"code":-32001,"message":'
        b'"There are too many clients: nothing was done, try again later.","data":{"reason":"busy"}}}'
    )
    assert third.receive() == b""
    first.socket.shutdown(socket.SHUT_WR)
    assert first.receive() == b""  # it is removed before the socket is closed
    assert connect().ask(PING) == second.ask(PING)


def test_a_client_for_which_no_thread_can_be_started_is_refused(connect, caplog, monkeypatch):
    def fail(thread):
        raise RuntimeError("can't start new thread")

    first = connect()
    assert first.ask(PING)
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", fail)
        assert b'"reason":"busy"' in connect().receive()
    assert "no thread can be started for it: can't start new thread" in caplog.text
    assert connect().ask(PING)


@pytest.mark.settings(idle_seconds=0.5)
def test_a_silent_client_is_disconnected(client_socket):
    client_socket.send(b"{")  # a part of a line
    assert client_socket.receive() == b""


@pytest.mark.settings(send_seconds=0.05, outbox_bytes=4096)
def test_a_client_that_does_not_read_is_disconnected(client_socket, caplog):
    caplog.set_level(logging.INFO)
    client_socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with pytest.raises(ConnectionError):
        while True:
            client_socket.send(PING * 1000)
    wait_until(lambda: "did not read its replies" in caplog.text)  # logged after the connection is closed


@pytest.mark.settings(attempts_per_booking=2)
def test_find_has_a_rate_limit(connect):
    client = connect()
    wanted = {"phone": "9845012345", "date": "2026-12-02", "place": "Bengaluru"}
    assert [client.call("find", **wanted) for _ in range(2)] == 2 * [{"references": []}]
    for again in (client, connect()):
        refused = {"reason": "not_allowed", "limit": 2, "retry_after": 1}
        assert again.call("find", **wanted)["data"] == refused
    assert client.call("find", **wanted | {"phone": "9880099000"}) == {"references": []}


# Disconnecting and draining --------------------------------------------------------------------


def test_a_half_closed_socket_receives_its_replies(client_socket):
    client_socket.send(request("places", 1) + request("ping", 2))
    client_socket.socket.shutdown(socket.SHUT_WR)
    assert [json.loads(client_socket.receive())["id"] for _ in range(2)] == [1, 2]
    assert client_socket.receive() == b""


def test_the_thread_of_a_client_that_resets_its_connection_ends(connect):
    resetting, other = connect(), connect()
    assert resetting.ask(PING) == other.ask(PING)
    (thread,) = [thread for thread in threading.enumerate() if thread.name.startswith("client 1 ")]
    reset_on_close(resetting.socket)
    resetting.send(request("places") * 100)
    resetting.close()
    thread.join(WAIT_SECONDS)
    assert not thread.is_alive()
    assert other.ask(PING)["result"]


def test_draining_finishes_a_request_and_refuses_later_ones(connect, server, locked_trip):
    busy, idle = connect(), connect()
    idle.ask(PING)
    busy.send(request("book", 1, **BOOK) + request("ping", 2) + b"[" + PING[:-1] + b"]\n")
    wait_until(lambda: server.writer.waiting)
    drain = threading.Thread(target=server.tcp.drain)
    drain.start()
    assert idle.receive() == b""  # draining has begun
    locked_trip.commit()
    assert json.loads(busy.receive())["result"]["status"] == "booked"
    draining = (
        b'{"jsonrpc":"2.0","id":%d,"error":{"code":-32001,'
        b'"message":"The server is shutting down: nothing was done, try again.",'
        b'"data":{"reason":"draining"}}}'
    )
    assert busy.receive() == draining % 2
    assert busy.receive() == b"[" + draining % 1 + b"]"
    assert busy.receive() == b""
    drain.join()
    with pytest.raises(ConnectionRefusedError):
        connect()


@pytest.mark.settings(drain_seconds=0.05)
def test_draining_ends_after_drain_seconds(connect, server, locked_trip, caplog):
    client = connect()
    client.send(PING + request("book", **BOOK))
    assert client.receive() == PONG
    wait_until(lambda: server.writer.waiting)
    server.tcp.drain()
    assert client.receive() == b""
    assert "client 1" in caplog.text
    assert "was disconnected" in caplog.text
    locked_trip.commit()


def test_a_port_in_use_is_an_error(server, settings):
    second = TcpServer(dataclasses.replace(settings, port=server.port), server.operations, server.pusher)
    with pytest.raises(OSError, match="in use"):
        second.start()
