"""Sign-in over TCP and HTTP with the SDK, the commands and the hotel client; TLS on both ports."""

import dataclasses
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import requests
import trustme

from busware import ConnectionLost, Refusal, connect
from busware.sdk import Client
from busware.server import tls
from busware.server.http import HttpServer
from busware.server.protocol import VERSION, SentNotice
from busware.server.service import tls_context
from busware.server.settings import Settings, SettingsError
from busware.server.tcp.server import TcpServer
from tests.conftest import Clock, Database
from tests.support.both_clients import Sdk
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

DAY = date(2026, 12, 2)
SEED = (PROJECT / "sql/99_seed_hotel.sql").read_text()
PASSWORD = "correct horse battery"


@pytest.fixture(params=["tcp", "http"])
def connect_by(
    request: pytest.FixtureRequest, server: SimpleNamespace, http: HttpClient, sdk: Sdk
) -> Callable[..., Client]:
    """Connects over TCP or HTTP, as either client."""
    where = (server.host, server.port) if request.param == "tcp" else (http.url,)
    return lambda **how: sdk.connect(*where, **how)


# The SDK ---------------------------------------------------------------------------------------


def test_traveller_signs_in(connect_by: Callable[..., Client], clock: Clock) -> None:
    with connect_by() as busware:
        session = busware.register("Asha", PASSWORD, phone="98450 12345")
        assert (session.username, session.role) == ("asha", "traveller")
        booked = []
        for seat in range(1, 4):
            clock.advance(seconds=1)
            booked.append(busware.book(1, DAY, "Bengaluru", "Mysuru", seats=[seat]).reference)
        assert [booking.reference for booking in busware.bookings(current=True)] == booked[::-1]
        assert busware.booking(booked[0]).status == "booked"
        assert busware.cancel(booked[0], tickets=[1]).status == "cancelled"
        busware.logout()
        with pytest.raises(Refusal, match="log in"):
            list(busware.bookings())
    with pytest.raises(Refusal, match=r"log in again"):
        connect_by(token=session.token)
    with connect_by() as again:
        token = again.login("asha", PASSWORD).token
    with connect_by(token=token) as again:
        assert len(list(again.bookings())) == 3


def test_operator_manages_a_trip(connect_by: Callable[..., Client], database: Database) -> None:
    with connect_by() as busware:
        busware.book(1, DAY, "Bengaluru", "Mandya", seats=[2], phone="98450 12345")
        busware.register("boss", PASSWORD)
        database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC'")
        busware.login("boss", PASSWORD)
        (trip,) = busware.trips(DAY)
        assert (trip.bus_id, trip.booked, trip.seats) == (1, 1, 8)
        stops = busware.manifest(1, DAY).stops
        assert [(stop.place, len(stop.boards), stop.comes_free) for stop in stops] == [
            ("Bengaluru", 1, []),
            ("Mandya", 0, [2]),
        ]
        assert busware.notice(1, DAY, "Platform 3.") == SentNotice(bookings=1, tickets=1)
        assert busware.open_sales(1, date(2026, 12, 20), date(2026, 12, 24)) == 5
        cancelled = busware.cancel_trip(1, DAY, "The road is flooded.")
        assert (cancelled.tickets, cancelled.refund) == (1, "180.00")
        with pytest.raises(Refusal, match="does not run") as refusal:
            busware.book(1, DAY, "Bengaluru", "Mandya", seats=[3], phone="98450 12345")
        assert refusal.value.reason == "trip_cancelled"
        manifest = busware.manifest(1, DAY)
        assert (manifest.state, manifest.why, manifest.booked, manifest.stops) == (
            "cancelled",
            "The road is flooded.",
            0,
            [],
        )


def test_same_key_over_tcp_and_http_books_once(
    server: SimpleNamespace, http: HttpClient, database: Database
) -> None:
    party = {"seats": [1], "phone": "98450 12345", "key": "once"}
    with connect(server.host, server.port) as by_tcp, connect(http.url) as by_http:
        first = by_tcp.book(1, DAY, "Bengaluru", "Mysuru", **party)
        assert by_http.book(1, DAY, "Bengaluru", "Mysuru", **party) == first
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_same_key_before_and_after_signing_in_books_once(server: SimpleNamespace, database: Database) -> None:
    party = {"phone": "98450 12345", "key": "once"}
    with connect(server.host, server.port) as busware:
        as_guest = busware.book(1, DAY, "Bengaluru", "Mysuru", seats=[1], **party)
        busware.register("asha", PASSWORD)
        assert busware.book(1, DAY, "Bengaluru", "Mysuru", seats=[1], **party) == as_guest
        with pytest.raises(Refusal) as refusal:
            busware.book(1, DAY, "Bengaluru", "Mysuru", seats=[2], **party)
        assert refusal.value.reason == "key_reused"
        assert list(busware.bookings()) == []
    assert database.value("SELECT count(*) FROM passengers") == 1


def test_unreachable_http_server_raises_connection_lost(http: HttpClient) -> None:
    http.server.drain()
    with pytest.raises(ConnectionLost, match="No answer"):
        connect(http.url, tries=1)
    with pytest.raises(ConnectionLost):
        connect("http://nowhere.invalid", tries=1)


# The commands ----------------------------------------------------------------------------------


def client(*arguments: str, typed: str = "", **environment: str) -> tuple[int, str]:
    """Run `python -m client`; return its exit status and its output."""
    done = subprocess.run(
        [sys.executable, "-m", "client", *arguments], input=typed, text=True, cwd=PROJECT, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": "/usr/bin:/bin", **environment},
    )  # fmt: skip
    return done.returncode, done.stdout


def test_commands_sign_in(server: SimpleNamespace, http: HttpClient) -> None:
    where = ("--port", str(server.port))
    status, output = client("register", "asha", *where, typed=f"{PASSWORD}\n")
    assert (status, output.split(" until ")[0]) == (0, "Signed in as asha (traveller)")
    token = output.split()[-1]
    segment = ("1", "2026-12-02", "Bengaluru", "Mysuru", "--seats", "1")
    assert client("book", *segment, *where, "--token", token)[0] == 0
    status, output = client("bookings", *where, BUSWARE_TOKEN=token)
    assert (status, output.count("booked")) == (0, 1)
    assert client("bookings", "--host", http.url, "--token", token) == (status, output)
    reference = client("bookings", *where, "--token", token)[1].splitlines()[1].split()[0]
    assert f"Reference {reference}" in client(*where, typed=f"status {reference}\n", BUSWARE_TOKEN=token)[1]
    assert client("login", "asha", *where, typed="something else\n")[0] == 1
    assert client("trips", "2026-12-02", *where, "--token", token) == (1, "trips is for operators.\n")
    assert client("logout", *where, "--token", token) == (0, "Signed out.\n")
    assert client("bookings", *where, "--token", token)[0] == 1
    message = "The token has expired, was revoked, or is wrong: log in again.\n"
    assert client(*where, "--token", token) == (3, message)


def test_login_with_the_token_of_another_account(server: SimpleNamespace) -> None:
    """A shell whose BUSWARE_TOKEN is that of asha gets a token of ravi."""
    where = ("--port", str(server.port))
    first = client("register", "asha", *where, typed=f"{PASSWORD}\n")[1].split()[-1]
    client("register", "ravi", *where, typed=f"{PASSWORD}\n")
    status, output = client("login", "ravi", *where, typed=f"{PASSWORD}\n", BUSWARE_TOKEN=first)
    assert (status, output.split(" until ")[0]) == (0, "Signed in as ravi (traveller)")
    assert output.split()[-1] != first


@pytest.fixture
def hotel(database: Database, http: HttpClient) -> str:
    """The URL of the hotel API, with the hotel of the seed."""
    database.query(SEED)
    return f"{http.url}/hotel"


def run_hotel(url: str, *lines: str) -> tuple[int, list[str]]:
    status, output = client("hotel", "--url", url, typed="".join(f"{line}\n" for line in lines))
    return status, output.splitlines()


def test_hotel_client(hotel: str) -> None:
    commands = "Commands: rooms, book, query, update, checkout, quit. Type help to read more."
    status, output = run_hotel(
        hotel, "asha", "pw", "book 2", "query", "update 8", "checkout", "query", "exit"
    )
    assert (status, output) == (
        0,
        [
            "Welcome. Your first booking registers you.",
            commands,
            "Rooms booked successfully: [1, 2]",
            "Your booked rooms: [1, 2]",
            "Updated booking: released 1, assigned 8.",
            "Checked out successfully. Released rooms: [2, 8] Refund: 2,400.00.",
            "You have not booked any rooms.",
            "Goodbye.",
        ],
    )
    assert run_hotel(hotel, "asha", "wrong", "rooms") == (1, ["Invalid password."])
    status, output = run_hotel(
        hotel, "asha", "pw", "book", "11", "book x", f"book {'9' * 20}", "dance", "rooms"
    )
    assert (status, output[:5]) == (
        0,
        [
            "Welcome back. You have not booked any rooms.",
            commands,
            "Only 10 rooms are available.",
            "'x' is not a number. Type a number such as 2.",
            f"'{'9' * 20}' is not a number. Type a number such as 2.",
        ],
    )
    assert output[-1] == "Room 10  free"
    assert run_hotel(hotel, "asha", "pw", "quit")[1][-1] == "Goodbye."


def test_hotel_client_without_a_server(http: HttpClient) -> None:
    http.server.drain()
    status, output = run_hotel(f"{http.url}/hotel", "asha", "pw")
    assert status == 3
    assert output[0].startswith(f"No answer from {http.url}/hotel")


# TLS -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """The files of a certificate authority, and of a server certificate that it issued."""
    folder = tmp_path_factory.mktemp("pki")
    authority = trustme.CA()
    issued = authority.issue_cert("localhost", "127.0.0.1")
    paths = SimpleNamespace(
        authority=folder / "ca.pem", certificate=folder / "cert.pem", key=folder / "key.pem"
    )
    paths.issued_for_another_name = authority.issue_cert("other.example")
    authority.cert_pem.write_to_path(paths.authority)
    issued.private_key_pem.write_to_path(paths.key)
    for pem in issued.cert_chain_pems:
        pem.write_to_path(paths.certificate, append=True)
    return paths


@pytest.fixture
def tls_servers(server: SimpleNamespace, pki: SimpleNamespace) -> Iterator[SimpleNamespace]:
    """A TCP server and an HTTP server with TLS."""
    context = tls.server_context(pki.certificate, pki.key)
    tcp = TcpServer(server.settings, server.operations, server.pusher, context)
    http = HttpServer(server.settings, server.operations, context)
    tcp.start()
    http.start()
    yield SimpleNamespace(
        tcp=("127.0.0.1", tcp.port), http=(f"https://127.0.0.1:{http.port}",), port=tcp.port
    )
    http.drain()
    tcp.drain()


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_tls_on_both_ports(tls_servers: SimpleNamespace, pki: SimpleNamespace, protocol: str) -> None:
    where = getattr(tls_servers, protocol)
    with connect(*where, tls=True, authority=pki.authority) as busware:
        busware.register("asha", PASSWORD)
        assert busware.book(1, DAY, "Bengaluru", "Mysuru", seats=[1]).status == "booked"
        assert len(list(busware.bookings())) == 1
        assert len(busware.seat_map(1, DAY, "Bengaluru", "Mysuru").seats) == 8


@pytest.mark.parametrize("protocol", ["tcp", "http"])
def test_certificate_of_an_unknown_authority_is_not_trusted(
    tls_servers: SimpleNamespace, protocol: str
) -> None:
    with pytest.raises(ConnectionLost, match="No trusted server"):
        connect(*getattr(tls_servers, protocol), tls=True)


def test_certificate_for_another_name_is_not_trusted(server: SimpleNamespace, pki: SimpleNamespace) -> None:
    context = tls.server_context(pki.certificate, pki.key)
    pki.issued_for_another_name.configure_cert(context)
    tcp = TcpServer(server.settings, server.operations, server.pusher, context)
    tcp.start()
    with pytest.raises(ConnectionLost, match=r"No trusted server at .*: .*mismatch"):
        connect("127.0.0.1", tcp.port, tls=True, authority=pki.authority)
    tcp.drain()


def test_tls_on_only_one_end_fails(tls_servers: SimpleNamespace, server: SimpleNamespace) -> None:
    with pytest.raises(ConnectionLost):
        connect(*tls_servers.tcp, tries=1, timeout_seconds=5)
    with pytest.raises(ConnectionLost):
        connect(server.host, server.port, tries=1, tls=True)
    with pytest.raises(requests.ConnectionError):
        requests.get(tls_servers.http[0].replace("https", "http") + "/healthz", timeout=20)


def test_silent_client_during_the_tls_handshake(server: SimpleNamespace, pki: SimpleNamespace) -> None:
    """The server disconnects it after http_read_seconds."""
    settings = dataclasses.replace(server.settings, http_read_seconds=2)
    http = HttpServer(settings, server.operations, tls.server_context(pki.certificate, pki.key))
    http.start()
    with socket.create_connection(("127.0.0.1", http.port), timeout=20) as silent:
        assert silent.recv(1) == b""
    assert requests.get(f"https://127.0.0.1:{http.port}/healthz", timeout=20, verify=pki.authority).ok
    http.drain()


def test_commands_over_tls(tls_servers: SimpleNamespace, pki: SimpleNamespace) -> None:
    verified = {"BUSWARE_PORT": str(tls_servers.port), "BUSWARE_AUTHORITY": str(pki.authority)}
    assert client("ping", "--tls", **verified) == (0, f"busware {VERSION}\n")
    status, output = client("ping", "--tls", BUSWARE_PORT=str(tls_servers.port))
    assert (status, output.splitlines()[-1].split(" gives")[0]) == (3, "--authority FILE")
    status, output = client("ping", "--tls", BUSWARE_PORT=str(tls_servers.port), BUSWARE_AUTHORITY="/nowhere")
    assert (status, output.startswith("/nowhere has no certificates")) == (2, True)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"host": "0.0.0.0"}, "BUSWARE_HOST=0.0.0.0 accepts connections from other machines"),
        ({"host": "::"}, "accepts connections from other machines"),
        ({"host": "busware.example"}, "accepts connections from other machines"),
        ({"tls_cert": Path("cert.pem")}, "set both, or neither"),
        ({"tls_key": Path("key.pem")}, "set both, or neither"),
        ({"tls_cert": Path("/nowhere"), "tls_key": Path("/nowhere")}, "cannot be used: .*No such file"),
        ({"tls_cert": PROJECT / "README.md", "tls_key": PROJECT / "README.md"}, "cannot be used"),
    ],
)
def test_refused_tls_settings(changed: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        tls_context(Settings(**changed))


def test_accepted_tls_settings(pki: SimpleNamespace) -> None:
    for host in ("127.0.0.1", "127.8.0.1", "::1", "localhost"):
        assert tls_context(Settings(host=host)) is None
    assert tls_context(Settings(host="0.0.0.0", plain=True)) is None
    with_tls = Settings(host="0.0.0.0", tls_cert=pki.certificate, tls_key=pki.key)
    assert isinstance(tls_context(with_tls), ssl.SSLContext)
