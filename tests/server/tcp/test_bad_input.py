"""Wrong input over TCP: the error says what is right, the connection stays usable, and nothing changes.

tests/server/protocol/test_jsonrpc.py has more tests of wrong JSON-RPC.
"""

import json

import pytest

from busware.server.protocol import VERSION

PONG = {"server": "busware", "version": VERSION, "time_zone": "Asia/Kolkata"}
DATE = "2026-12-02"
TRIP = {"bus_id": 1, "travel_date": DATE}
PLACES = {"origin": "Bengaluru", "destination": "Mysuru"}
GUEST = {"phone": "98450 12345"}
PLACE = "the name, code or alias of a place"
PHONE = "a phone number, such as 98450 12345 or +44 20 7946 0958"
BUS = "the number of a service, as `search` returns it"
STOP = "the position of a stop, as `search` returns it"
COUNT = "a number of seats, 1 to 100"
SEATS = "a list of different seat numbers, from 1"
AMOUNT = "an amount of money, such as 520.00"
KEY = "an idempotency key, up to 255 characters"
SECONDS = "a number of seconds, 10 to 1,800"
PASSENGERS = 'a list of passengers, such as [{"name": "Asha"}]'
ROW_COUNTS = """
    SELECT count(*), (SELECT count(*) FROM idempotency_keys), (SELECT count(*) FROM payments) FROM passengers
"""


@pytest.fixture
def client(client_socket, database):
    """A connection. After the test it must still reply, and no table may have changed."""
    before = database.query(ROW_COUNTS)
    yield client_socket
    assert client_socket.call("ping") == PONG
    assert database.query(ROW_COUNTS) == before


def refusal(error):
    assert error["message"].endswith((".", "?"))
    assert error["code"] == (-32602 if error["data"]["reason"] == "bad_request" else -32001)
    return error["data"]


def bad_request(error):
    data = refusal(error)
    assert data["reason"] == "bad_request"
    return data["field"], data["takes"]


# Bytes -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (b'{"jsonrpc":"2.0","id":1,"method":"ping"\n', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":"\x00"}}\n', -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"search","params":{"origin":"\xff"}}\n', -32700),
        (b"{" + b"[" * 60_000 + b"\n", -32700),
        (b'{"a":' * 12_000 + b"\n", -32700),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":' + b"[" * 60_000 + b"\n", -32700),
        (b'{"jsonrpc":2.0,"id":1,"method":"ping","params":' + b"[" * 60_000 + b"\n", -32700),
        (b"{\n", -32700),
        (b"{}\n", -32600),
        (b"[]\n", -32600),
        (b"[" + b"1," * 50 + b"1]\n", -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"sell"}\n', -32601),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"a":1}}\n', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}\n', -32602),
        (b"{" + b"x" * 100_000 + b"}\n", -32600),
    ],
)
def test_the_error_code_of_a_wrong_line(client, line, code):
    assert client.ask(line)["error"]["code"] == code


def test_a_line_of_300_000_bytes(client):
    client.send(b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"' + b"x" * 300_000)
    client.send(b'":1}}\n')
    assert json.loads(client.receive())["error"]["message"] == "The line is too long: at most 65536 bytes."


# Fields ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "params", "field", "takes"),
    [
        ("search", {**PLACES, "date": "tomorrow"}, "date", "a date, YYYY-MM-DD"),
        ("search", {**PLACES, "origin": 7, "date": DATE}, "origin", PLACE),
        ("search", {**PLACES, "origin": "  ", "date": DATE}, "origin", PLACE),
        ("search", {**PLACES, "origin": "Mysuru\0", "date": DATE}, "origin", PLACE),
        ("seat_map", {**TRIP, **PLACES, "bus_id": 10**30}, "bus_id", BUS),
        ("seat_map", {**TRIP}, "origin", PLACE),
        ("seat_map", {**TRIP, "origin": "Bengaluru"}, "destination", PLACE),
        ("seat_map", {**TRIP, "to_stop": 2}, "from_stop", STOP),
        ("seat_map", {**TRIP, **PLACES, "to_stop": 2}, "to_stop", STOP),
        ("book", {**TRIP, **PLACES, **GUEST}, "seats", SEATS),
        ("book", {**TRIP, **PLACES, **GUEST, "seats": [1], "count": 1}, "count", COUNT),
        ("book", {**TRIP, **PLACES, **GUEST, "seats": [1, 1]}, "seats", SEATS),
        ("book", {**TRIP, **PLACES, **GUEST, "seats": [1], "passengers": [{}, {}]}, "passengers", PASSENGERS),
        ("book", {**TRIP, **PLACES, "seats": [1], "phone": "12345"}, "phone", PHONE),
        ("book", {**TRIP, **PLACES, "seats": [1], "phone": "00000 00000"}, "phone", PHONE),
        ("book", {**TRIP, **PLACES, "seats": [1], "phone": "nobody"}, "phone", PHONE),
        ("book", {**TRIP, **PLACES, "seats": [1], "phone": "+999 1234567"}, "phone", PHONE),
        ("hold", {**TRIP, **PLACES, **GUEST, "seats": [1], "seconds": 5}, "seconds", SECONDS),
        ("confirm", {"phone": "98450 12345"}, "reference", "the reference of a booking"),
        ("confirm", {"reference": "ABC", "fare": 520}, "fare", AMOUNT),
        ("confirm", {"reference": "ABC", "fare": "-1"}, "fare", AMOUNT),
        ("confirm", {"reference": "ABC", "fare": "520.00001"}, "fare", AMOUNT),
        ("confirm", {"reference": "ABC", "fare": "1" * 11}, "fare", AMOUNT),
        ("cancel", {"reference": "ABC", "key": ""}, "key", KEY),
        ("cancel", {"reference": "ABC", "key": "k" * 256}, "key", KEY),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named_with_what_it_takes(client, method, params, field, takes):
    assert bad_request(client.call(method, **params)) == (field, takes)


def test_a_missing_phone_number_is_named(client):
    field, _ = bad_request(client.call("book", **TRIP, **PLACES, seats=[1]))
    assert field == "phone"


@pytest.mark.parametrize("date", ["2026-11-30", "2026-12-31", "0001-01-01", "9999-12-31"])
def test_a_date_in_the_past_or_after_the_last_sale(client, date):
    field, takes = bad_request(client.call("search", **PLACES, date=date))
    assert (field, takes[:6]) == ("date", "a date")


# The timetable ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["Mysooru", "mandia", "Bengalore"])
def test_an_unknown_place_lists_similar_names(client, name):
    data = refusal(client.call("search", origin=name, destination="Ooty", date=DATE))
    assert data["reason"] == "unknown_place"
    assert data["nearest"][0][:2].lower() == name[:2].lower()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"bus_id": 99}, "unknown_trip"),
        ({"bus_id": 2**63 - 1}, "unknown_trip"),
        ({"travel_date": "2027-12-02"}, "unknown_trip"),
        ({"travel_date": "0001-01-01"}, "unknown_trip"),
        ({"origin": "Mysuru", "destination": "Bengaluru"}, "not_on_route"),
        ({"origin": "Mysuru", "destination": "Mysuru"}, "not_on_route"),
        ({"origin": "Bengaluru", "destination": "Chennai"}, "not_on_route"),
        ({"origin": "Bangaluru"}, "unknown_place"),
        ({"origin": "'; DROP TABLE passengers; --"}, "unknown_place"),
        ({"origin": None, "destination": None, "from_stop": 4, "to_stop": 2}, "not_on_route"),
        ({"origin": None, "destination": None, "from_stop": 1, "to_stop": 10_000}, "not_on_route"),
        ({"seats": [9]}, "unknown_seat"),
        ({"seats": [10_000]}, "unknown_seat"),
        ({"seats": [1, 2, 3, 4, 5, 6, 7]}, "too_many_seats"),
        ({"seats": None, "count": 7}, "too_many_seats"),
    ],
)
def test_the_reason_of_a_refused_booking(client, changed, reason):
    data = refusal(client.call("book", **{**TRIP, **PLACES, **GUEST, "seats": [1], **changed}))
    assert data["reason"] == reason


def test_a_trip_that_has_departed(client, clock):
    clock.set("2026-12-02 10:01+05:30")
    data = refusal(client.call("book", **TRIP, **PLACES, **GUEST, seats=[1]))
    assert data["reason"] == "departed"


@pytest.mark.parametrize(
    ("method", "more"),
    [
        ("booking", {}),
        ("cancel_quote", {}),
        ("cancel", {}),
        ("confirm", {}),
        ("release", {}),
        ("change_seat", {"ticket_no": 1, "seat_no": 1}),
        ("alight_quote", {}),
        ("alight", {"at": "Mandya"}),
    ],
)
@pytest.mark.parametrize("reference", ["ABCDEFG", "x", "I1O0", "é" * 32, "A" * 32, "' OR 1=1"])
def test_an_unknown_booking(client, method, more, reference):
    data = refusal(client.call(method, reference=reference, **GUEST, **more))
    assert data["reason"] == "unknown_booking"


def test_other_spellings_are_accepted(client_socket):
    """Spaces, capitals, aliases, and phone numbers without a country code."""
    booked = client_socket.call(
        "book", **TRIP, origin=" bangalore ", destination="MYSORE", seats=[1], phone="098450-12345",
        passengers=[{"name": " Asha "}],
    )  # fmt: skip
    assert (booked["origin"], booked["destination"]) == ("Bengaluru", "Mysuru")
    assert booked["tickets"][0]["name"] == "Asha"
    reference = f" {booked['reference'].lower()} "
    assert client_socket.call("booking", reference=reference, phone="+91 98450 12345") == booked
