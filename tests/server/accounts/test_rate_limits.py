"""Rate limits of failed credentials and of registrations; how many passwords are checked at once."""

import json
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from busware.server.accounts.passwords import HashTurns
from busware.server.booking.operations import Operations
from busware.server.db.pool import InternalError
from busware.server.housekeeping import Housekeeper
from busware.server.protocol import METHODS, Caller, Login, Refusal
from busware.server.setting_kinds import MOST
from busware.server.settings import Settings
from tests.conftest import Clock, Database, LineClient
from tests.support.http_client import HttpClient
from tests.support.project import PROJECT

pytestmark = [pytest.mark.database, pytest.mark.settings(password_wait_seconds=60)]

ASHA = {"username": "asha", "password": "correct horse battery"}
RAVI = {"username": "ravi", "password": "staple of the day"}
HOTEL = (PROJECT / "sql/99_seed_hotel.sql").read_text()
LOOPBACK = (ip_network("127.0.0.0/8"),)
TRIP = {"bus_id": 1, "travel_date": "2026-12-02", "origin": "Bengaluru", "destination": "Mysuru"}


def reason(reply: Any) -> str:
    return str(reply["data"]["reason"])


def guess_from(operations: Operations, address: str, **credentials: str) -> str:
    """Sign in from an address: the reason of the refusal, or "" if it succeeds."""
    try:
        operations.perform(Login(**credentials), Caller(address=address))
    except Refusal as refusal:
        return refusal.reason
    return ""


def simultaneously(number: int, function: Callable[[int], Any]) -> list[Any]:
    """Call a function in `number` threads at once, and return the results."""
    together = threading.Barrier(number)

    def call(n: int) -> Any:
        together.wait()
        return function(n)

    with ThreadPoolExecutor(number) as threads:
        return list(threads.map(call, range(number)))


@pytest.mark.settings(attempts_per_account=3, attempt_minutes=10)
def test_wrong_passwords_are_delayed_more_and_more(
    client_socket: LineClient, connect: Callable[[], LineClient], clock: Clock
) -> None:
    client_socket.call("register", **ASHA)
    guess = {"username": "asha", "password": "a guess of it"}
    assert [reason(connect().call("login", **guess)) for _ in range(3)] == 3 * ["wrong_password"]
    for seconds in (1, 2, 4):
        refused = connect().call("login", **ASHA)["data"]  # even the right password
        assert refused == {"reason": "not_allowed", "limit": 3, "retry_after": seconds}
        assert client_socket.call("bookings") == {"bookings": []}  # the session goes on
        clock.advance(seconds=seconds)
        assert reason(connect().call("login", **guess)) == "wrong_password"
    clock.advance(seconds=8)
    assert "token" in connect().call("login", **ASHA)


@pytest.mark.settings(attempts_per_account=3)
def test_an_unknown_username_has_the_same_rate_limit(client_socket: LineClient) -> None:
    guess = {"username": "nobody", "password": "a guess of it"}
    reasons = [reason(client_socket.call("login", **guess)) for _ in range(4)]
    assert reasons == [*3 * ["wrong_password"], "not_allowed"]


@pytest.mark.settings(attempts_per_account=2)
def test_a_stranger_does_not_lock_an_account(client_socket: LineClient, server: SimpleNamespace) -> None:
    client_socket.call("register", **ASHA)
    guess = {"username": "asha", "password": "a guess of it"}
    reasons = [guess_from(server.operations, "10.0.0.1", **guess) for _ in range(3)]
    assert reasons == ["wrong_password", "wrong_password", "not_allowed"]
    assert guess_from(server.operations, "10.0.0.2", **ASHA) == ""


@pytest.mark.settings(attempts_per_account=1, unknown_address_factor=3, token_recheck_seconds=1e-6)
def test_many_strangers_delay_unknown_addresses_only(
    client_socket: LineClient, server: SimpleNamespace
) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    assert guess_from(server.operations, "10.0.1.1", **ASHA) == ""  # is known from now on
    guess = {"username": "asha", "password": "a guess of it"}
    reasons = [guess_from(server.operations, f"10.0.0.{n}", **guess) for n in range(4)]
    assert reasons == [*3 * ["wrong_password"], "not_allowed"]
    assert guess_from(server.operations, "10.0.0.9", **ASHA) == "not_allowed"
    assert guess_from(server.operations, "10.0.1.1", **ASHA) == ""
    assert guess_from(server.operations, "10.0.0.9", token=token) == ""
    assert client_socket.call("bookings") == {"bookings": []}


@pytest.mark.settings(attempts_per_address=3)
def test_failures_over_tcp_and_http_count_towards_one_rate_limit_of_the_address(
    client_socket: LineClient, http: HttpClient
) -> None:
    client_socket.call("login", username="a", password="guess")
    http.call("POST", "/v1/sessions", json={"username": "b", "password": "guess"})
    client_socket.call("booking", reference="BAAAAA", phone="9845012345")
    assert reason(client_socket.call("login", username="c", password="guess")) == "not_allowed"
    assert http.call("GET", "/v1/bookings/BAAAAB?phone=9845012345").status_code == 429


@pytest.mark.settings(attempts_per_address=1, exempt_networks=LOOPBACK)
def test_exempt_address_has_the_limit_of_each_account_only(client_socket: LineClient) -> None:
    for username in ("a", "b", "c"):
        assert reason(client_socket.call("login", username=username, password="guess")) == "wrong_password"


@pytest.mark.settings(attempts_per_address=1, token_recheck_seconds=1e-6)
def test_a_token_signs_in_after_failures_of_its_address(client_socket: LineClient) -> None:
    token = client_socket.call("register", **ASHA)["token"]
    for _ in range(2):
        assert reason(client_socket.call("login", token="f" * 64)) == "wrong_password"
    client_socket.call("login", username="nobody", password="a guess of it")
    assert reason(client_socket.call("login", **ASHA)) == "not_allowed"
    assert client_socket.call("login", token=token)["username"] == "asha"


@pytest.mark.settings(attempts_per_account=3, password_hashes=4, password_checks_per_address=8)
def test_simultaneous_guesses_of_a_password_do_not_pass_the_limit(
    server: SimpleNamespace, settings: Settings
) -> None:
    processes = [Operations(server.pool, server.writer, settings) for _ in range(2)]
    guess = {"username": "asha", "password": "a guess of it"}
    reasons = simultaneously(8, lambda n: guess_from(processes[n % 2], "10.0.0.1", **guess))
    assert Counter(reasons) == {"wrong_password": 3, "not_allowed": 5}


def test_simultaneous_guesses_of_a_phone_number_do_not_pass_the_limit(
    connect: Callable[[], LineClient],
) -> None:
    reference = connect().call("book", **TRIP, count=1, phone="98450 12345")["reference"]
    strangers = [connect() for _ in range(60)]
    reasons = simultaneously(
        60,
        lambda n: reason(strangers[n].call("booking", reference=reference, phone=f"98450 124{n:02}")),
    )
    assert Counter(reasons) == {"unknown_booking": 20, "not_allowed": 40}


@pytest.mark.settings(attempts_per_booking=2)
def test_simultaneous_openings_by_the_right_phone_number_succeed(
    connect: Callable[[], LineClient],
) -> None:
    booked = connect().call("book", **TRIP, count=1, phone="98450 12345")
    opened = {"reference": booked["reference"], "phone": "98450 12345"}
    guests = [connect() for _ in range(8)]
    assert simultaneously(8, lambda n: guests[n].call("booking", **opened)) == 8 * [booked]


def open_from(operations: Operations, address: str, **fields: Any) -> str:
    """Open a booking from an address: its reference, or the reason of the refusal."""
    try:
        answer = operations.perform(msgspec.convert(fields, METHODS["booking"]), Caller(address=address))
    except Refusal as refusal:
        return refusal.reason
    return answer.refusal().reason if answer.refused else json.loads(bytes(answer.body))["reference"]


@pytest.mark.settings(attempts_per_address=5)
def test_simultaneous_guesses_of_references_do_not_pass_the_limit_of_the_address(
    server: SimpleNamespace,
) -> None:
    reasons = simultaneously(
        40,
        lambda n: open_from(
            server.operations,
            "10.0.0.1",
            reference=f"BAAA{'ABCD'[n % 4]}{n % 8 + 2}{n // 8 + 2}",
            phone="98450 12345",
        ),
    )
    assert Counter(reasons) == {"unknown_booking": 5, "not_allowed": 35}


@pytest.mark.settings(attempts_per_address=2)
def test_simultaneous_openings_of_many_bookings_from_one_address_succeed(
    client_socket: LineClient, server: SimpleNamespace
) -> None:
    phone = "98450 12345"
    references = [client_socket.call("book", **TRIP, count=1, phone=phone)["reference"] for _ in range(8)]

    def opened(n: int) -> str:
        return open_from(server.operations, "10.0.0.1", reference=references[n], phone=phone)

    assert simultaneously(8, opened) == references


@pytest.mark.settings(attempts_per_booking=2, attempt_minutes=1e-9, read_wait_seconds=1e-3)
def test_failures_older_than_the_period_do_not_make_attempts_wait(server: SimpleNamespace) -> None:
    limiter = server.operations.accounts.rate_limiter
    attempt = limiter.opening("booking:BAAAAA", Caller(address="10.0.0.1"), by_account=False)
    for _ in range(2):
        limiter.record_failure(attempt)
    with (
        limiter.turn(attempt),
        limiter.turn(attempt),
        pytest.raises(Refusal, match="Too many attempts are under way"),
        limiter.turn(attempt),
    ):
        pass
    assert limiter._queues == {}


@pytest.mark.settings(
    attempts_per_account=MOST, attempts_per_booking=MOST, attempts_per_address=MOST,
    registrations_per_address=MOST, tokens_per_account=MOST, unknown_address_factor=MOST,
    says_per_minute=MOST, holds_per_account=MOST, held_seats_per_account=MOST,
    holds_per_address=MOST, held_seats_per_address=MOST, attempt_minutes=999999999.0,
    known_address_days=1e6, message_days=1e6, idempotency_hours=1e6,
)  # fmt: skip
def test_largest_settings_reach_the_database(client_socket: LineClient, server: SimpleNamespace) -> None:
    client_socket.call("register", **ASHA)
    assert reason(client_socket.call("login", username="asha", password="a guess of it")) == "wrong_password"
    assert "token" in client_socket.call("login", **ASHA)
    for _ in range(2):
        assert (
            reason(client_socket.call("booking", reference="BAAAAA", phone="9845012345")) == "unknown_booking"
        )
    assert "reference" in client_socket.call("hold", **TRIP, count=1)
    assert client_socket.call("say", text="hello") == {}
    housekeeper = Housekeeper(server.pool, server.settings, server.operations.accounts.rate_limiter)
    housekeeper.purge()


def test_known_addresses_are_stored_later_if_the_database_refuses_them(
    server: SimpleNamespace, database: Database
) -> None:
    limiter = server.operations.accounts.rate_limiter
    limiter.record_success(limiter.opening("booking:BAAAAA", Caller(address="10.0.0.1"), by_account=False))
    database.query("ALTER TABLE known_addresses ADD CONSTRAINT refused CHECK (false)")
    with pytest.raises(InternalError):
        limiter.note_known_addresses()
    database.query("ALTER TABLE known_addresses DROP CONSTRAINT refused")
    limiter.note_known_addresses()
    assert database.query("SELECT pair FROM known_addresses") == ["address:10.0.0.1 booking:BAAAAA"]


@pytest.mark.settings(attempts_per_address=5)
def test_an_operator_cannot_guess_the_references_of_others(
    client_socket: LineClient, database: Database
) -> None:
    client_socket.call("register", **ASHA)
    database.query("UPDATE accounts SET role = 'operator', operator = 'KSRTC'")
    client_socket.call("login", **ASHA)
    booked = client_socket.call("book", **TRIP, count=1, phone="98450 12345")
    for n in range(5):
        assert reason(client_socket.call("booking", reference=f"BAAAA{n + 2}")) == "unknown_booking"
    assert reason(client_socket.call("booking", reference="BAAAAA")) == "not_allowed"
    assert client_socket.call("booking", reference=booked["reference"])["data"]["limit"] == 5


@pytest.mark.settings(registrations_per_address=2)
def test_registrations_of_an_address_have_a_rate_limit(
    client_socket: LineClient, http: HttpClient, clock: Clock
) -> None:
    assert "token" in client_socket.call("register", **ASHA)
    assert reason(client_socket.call("register", **ASHA)) == "username_taken"  # counts too
    refused = client_socket.call("register", **RAVI)["data"]
    assert refused == {"reason": "not_allowed", "limit": 2, "retry_after": 1}
    assert http.call("POST", "/v1/accounts", json=RAVI).status_code == 429
    assert "token" in client_socket.call("login", **ASHA)
    clock.advance(minutes=59)
    assert "token" in client_socket.call("register", **RAVI)
    assert client_socket.call("register", username="hari", password="long enough")["data"] == {
        "reason": "not_allowed", "limit": 2, "retry_after": 2
    }  # fmt: skip


@pytest.mark.settings(password_wait_seconds=1e-3)
def test_registrations_do_not_delay_a_login(client_socket: LineClient, server: SimpleNamespace) -> None:
    client_socket.call("register", **ASHA)
    with server.operations.accounts._registrations.take(None):
        assert reason(client_socket.call("register", **RAVI)) == "busy"
        assert "token" in client_socket.call("login", **ASHA)


def test_a_password_that_is_too_short_signs_in_at_the_hotel_only(
    client_socket: LineClient, http: HttpClient, database: Database
) -> None:
    database.query(HOTEL)
    guest = {"username": "asha", "password": "1"}
    assert http.call("POST", "/hotel/book", json={**guest, "num_rooms": 1}).status_code == 200
    assert reason(client_socket.call("login", username="asha", password="2")) == "wrong_password"
    refused = client_socket.call("login", **guest)
    assert refused["data"] == {"reason": "not_allowed"}
    assert "at least 8 characters" in refused["message"]
    assert http.call("POST", "/v1/sessions", json=guest).status_code == 403
    assert http.call("POST", "/hotel/query", json=guest).json() == {"message": "Your booked rooms: [1]"}
    assert reason(client_socket.call("bookings")) == "not_signed_in"
    assert database.query("SELECT * FROM tokens") == []


@pytest.mark.settings(attempts_per_booking=2)
@pytest.mark.parametrize("signed_in", [False, True])
def test_wrong_phone_numbers_of_a_booking_have_a_rate_limit(
    connect: Callable[[], LineClient], clock: Clock, signed_in: bool
) -> None:
    owner, stranger = connect(), connect()
    if signed_in:
        stranger.call("register", **RAVI)
    booked = owner.call("book", **TRIP, count=1, phone="98450 12345")
    opened = {"reference": booked["reference"], "phone": "98450 12345"}
    for phone in ("98450 12346", "98450 12347"):
        assert reason(stranger.call("booking", **{**opened, "phone": phone})) == "unknown_booking"
    assert reason(stranger.call("booking", **opened)) == "not_allowed"
    assert reason(stranger.call("cancel", **opened)) == "not_allowed"
    clock.advance(seconds=1)
    assert stranger.call("booking", **opened) == booked


@pytest.mark.settings(attempts_per_booking=2)
def test_wrong_promo_codes_have_a_rate_limit(
    connect: Callable[[], LineClient], database: Database, clock: Clock
) -> None:
    database.query(
        "INSERT INTO promo_codes (operator, code, percent) "
        "SELECT operator, 'RIGHT', 10 FROM bus_info WHERE bus_id = 1"
    )
    guest, signed_in = connect(), connect()
    signed_in.call("register", **RAVI)
    party = {**TRIP, "count": 1, "phone": "98450 12345"}
    for code in ("GUESS1", "GUESS2"):
        assert reason(guest.call("book", **party, promo_code=code)) == "unknown_promo_code"
    assert reason(guest.call("book", **party, promo_code="RIGHT")) == "not_allowed"
    assert guest.call("book", **party)["status"] == "booked"
    assert signed_in.call("book", **party, promo_code="RIGHT")["status"] == "booked"
    clock.advance(seconds=1)
    assert guest.call("book", **party, promo_code="RIGHT")["status"] == "booked"


@pytest.mark.settings(attempts_per_booking=2)
def test_an_owner_is_not_locked_out_by_others(connect: Callable[[], LineClient]) -> None:
    owner, stranger = connect(), connect()
    owner.call("register", **ASHA)
    booked = owner.call("book", **TRIP, count=1)
    for _ in range(3):
        stranger.call("booking", reference=booked["reference"], phone="98450 12346")
    assert owner.call("booking", reference=booked["reference"]) == booked


@pytest.mark.settings(attempts_per_booking=2)
def test_a_wrong_ticket_number_does_not_count_towards_the_rate_limit(client_socket: LineClient) -> None:
    booked = client_socket.call("book", **TRIP, count=1, phone="98450 12345")
    opened = {"reference": booked["reference"], "phone": "98450 12345"}
    for _ in range(4):
        assert reason(client_socket.call("cancel_quote", **opened, tickets=[7])) == "unknown_booking"


@pytest.mark.settings(attempts_per_account=4)
def test_rate_limits_are_shared_by_all_processes(server: SimpleNamespace, settings: Settings) -> None:
    processes = [Operations(server.pool, server.writer, settings) for _ in range(3)]
    guess = {"username": "asha", "password": "a guess of it"}
    reasons = [guess_from(processes[n % 3], "10.0.0.1", **guess) for n in range(6)]
    assert reasons == [*4 * ["wrong_password"], *2 * ["not_allowed"]]


@pytest.mark.settings(attempts_per_booking=1, unknown_address_factor=2)
def test_strangers_do_not_stop_a_guest_whose_address_is_known(server: SimpleNamespace) -> None:
    def request(method: str, address: str, **fields: Any) -> str:
        request = msgspec.convert(fields, METHODS[method])
        try:
            answer = server.operations.perform(request, Caller(address=address))
        except Refusal as refusal:
            return refusal.reason
        return answer.refusal().reason if answer.refused else json.loads(bytes(answer.body))["reference"]

    phone = "98450 12345"
    reference = request("book", "10.0.1.1", **TRIP, count=1, phone=phone)
    assert request("booking", "10.0.1.1", reference=reference, phone=phone) == reference
    server.operations.accounts.rate_limiter.note_known_addresses()  # as housekeeping does
    guesses = [request("booking", f"10.0.0.{n}", reference=reference, phone="98450 99999") for n in range(3)]
    assert guesses == ["unknown_booking", "unknown_booking", "not_allowed"]
    assert request("booking", "10.0.0.9", reference=reference, phone=phone) == "not_allowed"
    assert request("cancel", "10.0.1.1", reference=reference, phone=phone) == reference


def test_the_number_of_concurrent_hashes_is_limited() -> None:
    turns = HashTurns(max_concurrent=1, max_of_address=2, wait_seconds=0.01)
    with turns.take("a"), pytest.raises(Refusal) as refused, turns.take("b"):
        pass
    assert refused.value.reason == "busy"
    with turns.take("a"):
        pass


def test_an_address_does_not_take_all_the_turns() -> None:
    turns = HashTurns(max_concurrent=3, max_of_address=1, wait_seconds=10)
    with turns.take("a"):
        with pytest.raises(Refusal) as refused, turns.take("a"):
            pass
        assert refused.value.reason == "busy"
        with turns.take("b"), turns.take(None):
            pass
    with turns.take("a"):
        pass
