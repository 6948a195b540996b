"""Telnet negotiation: it is answered at once, is removed from lines, and does not change JSON."""

import logging
import shutil
import socket
from collections.abc import Iterator
from types import SimpleNamespace

import pexpect
import pytest
from hypothesis import given
from hypothesis import strategies as st

from busware.server.tcp.telnet import Telnet
from tests.conftest import WAIT_SECONDS, LineClient
from tests.support.line_client import wait_until
from tests.support.processes import kill
from tests.support.transcript import transcript

TELNET = shutil.which("telnet")
CTRL_C = b"\xff\xf4\xff\xfd\x06"  # as Debian's telnet sends it: IP, DO TIMING-MARK
WONT_TIMING_MARK = b"\xff\xfc\x06"
GREETING = b"Busware. Type bus, flight, show or hotel to book, or help for all commands."
PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}'


@pytest.fixture
def telnet(server: SimpleNamespace) -> Iterator[pexpect.spawn]:
    """Debian's telnet in a terminal, connected to the server."""
    if TELNET is None:
        pytest.skip("there is no telnet here: apt install telnet")
    child = pexpect.spawn(TELNET, [server.host, str(server.port)], timeout=WAIT_SECONDS, encoding="utf-8")
    child.expect_exact("Escape character is")
    yield child
    kill(child)


# Over a socket ---------------------------------------------------------------------------------


def test_negotiation_is_answered_before_the_line_ends(client_socket: LineClient) -> None:
    client_socket.send(CTRL_C)
    assert client_socket.read(3) == WONT_TIMING_MARK
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")
    client_socket.send(b"re" + CTRL_C)
    assert client_socket.read(3) == WONT_TIMING_MARK
    transcript(client_socket, "> s\nDate of journey (2026-12-05, tomorrow, sat or 5 dec):")


def test_every_option_is_refused(client_socket: LineClient) -> None:
    for option in range(256):
        client_socket.send(b"\xff\xfd%c\xff\xfb%c" % (option, option))
        if option == ord("\n"):  # it ends a line
            assert client_socket.read(6) == b"\xff\xfc\n\xff\xfe\n"
            assert [client_socket.receive() for _ in range(2)] == [GREETING, GREETING]
        else:
            assert client_socket.read(6) == b"\xff\xfc%c\xff\xfe%c" % (option, option)


def test_refusal_of_an_option_is_not_answered(client_socket: LineClient) -> None:
    client_socket.send(b"\xff\xfc\x06\xff\xfe\x06" + CTRL_C)
    assert client_socket.read(3) == WONT_TIMING_MARK
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")


def test_negotiation_is_removed_from_lines(client_socket: LineClient) -> None:
    client_socket.send(b"\xff\xfd\x03\xff\xfb\x18\xff\xfa\x18\x00x\xff\xff\xff\xf0bux\x08s\r\n")
    assert client_socket.read(6) == b"\xff\xfc\x03\xff\xfe\x18"
    transcript(client_socket, "1 reservation, 2 cancellation\nReservation or cancellation:")
    client_socket.send(b"res\x00\xff\xf1\r\n")
    transcript(client_socket, "Date of journey (2026-12-05, tomorrow, sat or 5 dec):")
    client_socket.send(b"\xff\xff\xff\xfa\r\n")
    assert "\ufffd" in client_socket.receive().decode()


def test_json_can_follow_negotiation(client_socket: LineClient) -> None:
    client_socket.send(CTRL_C + PING + b"\n")
    assert client_socket.read(3) == WONT_TIMING_MARK
    assert client_socket.receive().startswith(b'{"jsonrpc":"2.0","id":1,"result"')


@pytest.mark.parametrize("cut", range(1, 8))
def test_telnet_bytes_in_json_are_kept(client_socket: LineClient, cut: int) -> None:
    """The line is not UTF-8, so it is refused. It is not answered as telnet negotiation."""
    line = PING[:3] + CTRL_C + PING[3:] + b"\n"
    client_socket.send(line[:cut])
    client_socket.send(line[cut:] + PING + b"\n")
    assert client_socket.receive().startswith(b'{"jsonrpc":"2.0","id":null,"error":{"code":-32700')
    assert client_socket.receive().startswith(b'{"jsonrpc":"2.0","id":1,"result"')


def test_urgent_byte_of_a_synch_is_read_in_order(client_socket: LineClient) -> None:
    """Telnet sends the second byte of the command as urgent data."""
    client_socket.send(b"\xff\xf4\xff")
    client_socket.socket.send(b"\xf2", socket.MSG_OOB)
    transcript(client_socket, "> bus\n1 reservation, 2 cancellation\nReservation or cancellation:")


@pytest.mark.settings(send_seconds=0.05, outbox_bytes=4096)
def test_client_that_negotiates_and_does_not_read_is_disconnected(
    client_socket: LineClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    client_socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    with pytest.raises(ConnectionError):
        while True:
            client_socket.send(CTRL_C * 1000)
    wait_until(lambda: "did not read its replies" in caplog.text)  # logged after the socket is closed


# The parser ------------------------------------------------------------------------------------

_PIECES = [b"\xff", b"\xfd", b"\xfb", b"\xfc", b"\xfa", b"\xf0", b"\xf4", b"\x06", b"\n", b"a", b"{", b"["]


@given(st.lists(st.sampled_from([*_PIECES, CTRL_C, b"\xff\xfa\x18\x00\xff\xf0", b"\n{"])), st.data())
def test_result_does_not_depend_on_chunks(pieces: list[bytes], data: st.DataObject) -> None:
    sent = b"".join(pieces)
    whole = Telnet().read(sent)
    ends = sorted(data.draw(st.lists(st.integers(0, len(sent)))))
    telnet = Telnet()
    parts = [telnet.read(sent[a:b]) for a, b in zip([0, *ends], [*ends, len(sent)], strict=True)]
    assert (b"".join(typed for typed, _ in parts), b"".join(reply for _, reply in parts)) == whole
    assert whole[0].count(b"\n") == sent.count(b"\n")
    json = [line for line in sent.split(b"\n") if line.startswith((b"{", b"["))]
    assert [line for line in json if line not in whole[0].split(b"\n")] == []


def test_endless_subnegotiation_is_not_buffered() -> None:
    telnet = Telnet()
    telnet.read(b"\xff\xfa")
    assert b"".join(telnet.read(b"x" * 100)[0] for _ in range(100)) == b"x" * 10_000


# The telnet program ----------------------------------------------------------------------------


def test_session_continues_after_ctrl_c(telnet: pexpect.spawn) -> None:
    for _ in range(2):
        telnet.send("help\r")
        telnet.expect_exact("end the connection")
        telnet.send("\x03")
    telnet.send("bus\r")
    telnet.expect_exact("Reservation or cancellation:")
