"""JSON-RPC lines and structs, byte for byte. No socket, no database."""

import datetime
import importlib.metadata
import json

import msgspec
import pytest

from busware.server import protocol
from busware.server.protocol import Answer, Refusal, jsonrpc

MAX_BATCH = 3


def rejection(line):
    """The reply that rejects a line."""
    parsed = jsonrpc.parse(line, MAX_BATCH)
    assert isinstance(parsed, bytes), parsed
    return parsed


def error(code, message, id="null"):
    return f'{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":"{message}"}}}}\n'.encode()


# Requests --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "id",
    [
        "1", "-1", "1.5", "1e3", "0", "null", '""', '"a"', '"é"', '"\\u00e9\\n"',
        "123456789012345678901234567890123456789012345678901234567890",
    ],
)  # fmt: skip
def test_an_id_comes_back_as_it_was_written(id):
    parsed = jsonrpc.parse(f'{{"jsonrpc": "2.0", "id" : {id} , "method": "ping"}}'.encode(), MAX_BATCH)
    assert parsed == jsonrpc.Incoming(id.encode(), protocol.Ping())
    reply = jsonrpc.encode_reply(parsed.id, Answer(msgspec.Raw(b'{"a": 1}'), refused=False))
    assert reply == f'{{"jsonrpc":"2.0","id":{id},"result":{{"a": 1}}}}\n'.encode()


@pytest.mark.parametrize("id", ["true", "false", "{}", "[1]"])
def test_an_id_is_a_string_a_number_or_null(id):
    line = f'{{"jsonrpc":"2.0","id":{id},"method":"ping"}}'.encode()
    assert rejection(line) == error(-32600, "id is a string, a number or null.")


def test_params_are_decoded_to_the_struct_of_the_method():
    line = (
        b'{"jsonrpc":"2.0","id":7,"method":"book","params":{"bus_id":9007199254740993,"seats":[1,2],'
        b'"travel_date":"2026-12-05","from_stop":1,"to_stop":3,"passengers":[{"name":"Asha"},{}]}}'
    )
    assert jsonrpc.parse(line, MAX_BATCH) == jsonrpc.Incoming(
        b"7",
        protocol.Book(
            bus_id=9007199254740993,
            travel_date=datetime.date(2026, 12, 5),
            from_stop=1,
            to_stop=3,
            seats=[1, 2],
            passengers=[protocol.Passenger(name="Asha"), protocol.Passenger()],
        ),
    )


def test_unknown_members_of_a_request_are_ignored():
    line = b'{"jsonrpc":"2.0","id":1,"method":"ping","trace":"abc","params":{}}'
    assert jsonrpc.parse(line, MAX_BATCH) == jsonrpc.Incoming(b"1", protocol.Ping())


def test_a_notification_has_no_id_and_gets_no_reply():
    assert jsonrpc.parse(b'{"jsonrpc":"2.0","method":"ping"}', MAX_BATCH) == jsonrpc.Incoming(
        None, protocol.Ping()
    )
    assert jsonrpc.encode_reply(None, Answer(msgspec.Raw(b"{}"), refused=False)) == b""
    assert jsonrpc.encode_refusal(None, Refusal("busy", "…")) == b""
    assert jsonrpc.encode_internal_error(None, "1234") == b""
    assert rejection(b'{"jsonrpc":"2.0","method":"nonsense"}') == b""
    assert rejection(b'{"jsonrpc":"2.0","method":"search","params":{}}') == b""


# Wrong lines -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        b"{", b'{"jsonrpc":', b"[", b'[{"jsonrpc":"2.0"}', b"{}}", b"{'a':1}", b'{"a":01}', b'{"a":NaN}',
        b'{"a":1,}', b'{"a":"\x01"}', b'{"a":"\\x"}', b'{"a":"\\ud800"}', b"{\x00}",
        b"[" * 60_000, b'{"a":' * 10_000, b'{"a":' + b"[" * 30_000 + b"]" * 30_000 + b"}",
    ],
)  # fmt: skip
def test_broken_json(line):
    assert rejection(line) == error(-32700, "The line is not JSON.")


@pytest.mark.parametrize(
    ("line", "byte"),
    [
        (b'{"jsonrpc":"2.0","id":"\xff","method":"ping"}', 24),
        (b'{"\xc3\xa9":"\xc3"}', 8),
        (b'[{"a":"\xed\xa0\x80"}]', 8),  # half of a surrogate pair
    ],
)
def test_invalid_utf8(line, byte):
    assert rejection(line) == error(-32700, f"Byte {byte} of the line is not UTF-8.")


@pytest.mark.parametrize(
    ("line", "id", "message"),
    [
        (b"{}", "null", 'jsonrpc must be \\"2.0\\".'),
        (b'{"id":1,"method":"ping"}', "1", 'jsonrpc must be \\"2.0\\".'),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', "1", 'jsonrpc must be \\"2.0\\".'),
        (b'{"jsonrpc":2.0,"id":1,"method":"ping"}', "1", 'jsonrpc must be \\"2.0\\".'),
        (b'{"jsonrpc":"2.0","id":"x"}', '"x"', "method must be a string: the name of a method."),
        (b'{"jsonrpc":"2.0","method":1}', "null", "method must be a string: the name of a method."),
        (b'{"jsonrpc":"2.0","id":1,"result":{}}', "1", "method must be a string: the name of a method."),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"ping","params":"bar"}',
            "1",
            "params must be an object: the fields of the request by name.",
        ),
        (
            b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}',
            "1",
            "params must be an object: the fields of the request by name.",
        ),
    ],
)
def test_json_that_is_not_a_request(line, id, message):
    assert rejection(line) == error(-32600, message, id)


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ("serch", 'There is no method \\"serch\\": did you mean search?'),
        ("rpc.discover", f'There is no method \\"rpc.discover\\". Methods: {", ".join(protocol.METHODS)}.'),
        ("x" * 41, f'There is no method \\"{"x" * 40}…\\". Methods: {", ".join(protocol.METHODS)}.'),
    ],
)
def test_unknown_method(method, message):
    line = f'{{"jsonrpc":"2.0","id":1,"method":"{method}"}}'.encode()
    assert rejection(line) == error(-32601, message, "1")


# Fields ----------------------------------------------------------------------------------------

PLACE = "the name, code or alias of a place"
BUS = "the number of a service, as `search` returns it"
SEATS = "a list of different seat numbers, from 1"
STOP = "a place on the route, or the position of a stop"
FIELDS = "origin, destination, date, until, kind, bus_type, ac, seats, days_around"
REFERENCE = "the reference of a booking"
DATE = "a date, YYYY-MM-DD"
TRIP = {"bus_id": 1, "travel_date": "2026-12-05"}
OBJECT = "an object, with each field once"


@pytest.mark.parametrize(
    ("method", "params", "field", "takes", "message"),
    [
        ("search", {}, "origin", PLACE, "origin is missing. Expected: {}."),
        ("search", {"origin": "a", "destination": "b"}, "date", DATE, "date is missing. Expected: {}."),
        ("search", {"origin": 1}, "origin", PLACE, "origin takes {}."),
        ("search", {"origin": None}, "origin", PLACE, "origin takes {}."),
        ("search", {"origin": ""}, "origin", PLACE, "origin takes {}."),
        ("search", {"origin": "x" * 81}, "origin", PLACE, "origin takes {}."),
        ("search", {"orgin": "a"}, "orgin", FIELDS, 'search has no field "orgin": did you mean origin?'),
        ("search", {"§": "a"}, "§", FIELDS, 'search has no field "§": search takes {}.'),
        ("ping", {"loud": True}, "loud", "no fields", 'ping has no field "loud": ping takes {}.'),
        ("search", {"until": "2026-02-30", "origin": "a", "destination": "b", "date": "2026-02-28"},
         "until", DATE, "until takes {}."),
        ("places", {"kind": "a\0b"}, "kind", "a kind of service: bus, flight, show, hotel",
         "kind has the control character U+0000. Expected: {}."),
        ("places", {"kind": "bus\n"}, "kind", "a kind of service: bus, flight, show, hotel",
         "kind has the control character U+000A. Expected: {}."),
        ("places", {"kind": "\x9b1m"}, "kind", "a kind of service: bus, flight, show, hotel",
         "kind has the control character U+009B. Expected: {}."),
        ("seat_map", {"bus_id": "1"}, "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", {"bus_id": 1.0}, "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", {"bus_id": True}, "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", {"bus_id": 0}, "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", {"bus_id": 2**63}, "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", '{"bus_id":1e400}', "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", f'{{"bus_id":{"9" * 5000}}}', "bus_id", BUS, "bus_id takes {}."),
        ("seat_map", {"bus_id": 1, "travel_date": 20261205}, "travel_date", DATE, "travel_date takes {}."),
        ("seat_map", {"bus_id": 1, "travel_date": "5/12/26"}, "travel_date", DATE, "travel_date takes {}."),
        ("book", TRIP | {"seats": []}, "seats", SEATS, "seats takes {}."),
        ("book", TRIP | {"seats": [1, "2"]}, "seats", SEATS, "seats takes {}."),
        ("book", TRIP | {"passengers": [{"nmae": "Asha"}]},
         "passengers", 'a list of passengers, such as [{"name": "Asha"}]', "passengers takes {}."),
        ("confirm", '{"reference":"A","reference":1}', "reference", REFERENCE, "reference takes {}."),
        ("confirm", '{"reference":1,"reference":"A"}', "params", OBJECT, "A field of params is given twice."),
        ("confirm", ["A"], "params", OBJECT, "params must be an object: the fields of the request by name."),
        ("put_promo_code", {"code": "DASARA", "amount": "100000000"}, "amount",
         "an amount of money below 100,000,000, such as 50.00", "amount takes {}."),
        ("alight", {"reference": "A", "at": 1.5}, "at", STOP, "at takes {}."),
        ("alight", {"reference": "A", "at": [[[]]]}, "at", STOP, "at takes {}."),
    ],
)  # fmt: skip
def test_the_wrong_field_is_named(method, params, field, takes, message):
    params = params if isinstance(params, str) else json.dumps(params)
    reply = json.loads(
        rejection(f'{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}'.encode())
    )
    assert reply["error"] == {
        "code": protocol.INVALID_PARAMS,
        "message": message.format(takes),
        "data": {"reason": "bad_request", "field": field, "takes": takes},
    }


def test_a_wrong_field_byte_for_byte():
    assert rejection(b'{"jsonrpc":"2.0","id":1,"method":"places","params":{"kind":5}}') == (
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32602,'
        b'"message":"kind takes a kind of service: bus, flight, show, hotel.",'
        b'"data":{"reason":"bad_request","field":"kind",'
        b'"takes":"a kind of service: bus, flight, show, hotel"}}}\n'
    )


def test_every_field_says_what_it_takes():
    for request_type in protocol.METHODS.values():
        for field in msgspec.structs.fields(request_type):
            assert request_type.takes(field.encode_name), (request_type, field.name)


# Batches ---------------------------------------------------------------------------------------


def test_the_requests_of_a_batch():
    line = (
        b'[{"jsonrpc":"2.0","id":1,"method":"ping"}, {"jsonrpc":"2.0","method":"ping"}, '
        b'{"jsonrpc":"2.0","id":2,"method":"pong"}]'
    )
    parsed = jsonrpc.parse(line, MAX_BATCH)
    assert parsed[:2] == [jsonrpc.Incoming(b"1", protocol.Ping()), jsonrpc.Incoming(None, protocol.Ping())]
    assert parsed[2] == error(-32601, 'There is no method \\"pong\\": did you mean ping?', "2")


def test_the_reply_to_a_batch_is_one_line():
    one, two = error(-32601, "a", "1"), error(-32601, "b", "2")
    assert jsonrpc.encode_batch([one, b"", two]) == b"[" + one[:-1] + b"," + two[:-1] + b"]\n"


def test_a_batch_of_notifications_gets_no_reply():
    assert jsonrpc.encode_batch([b"", b""]) == b""


def test_members_of_a_batch_that_are_not_requests():
    parsed = jsonrpc.parse(b'[1, [], "x"]', MAX_BATCH)
    assert parsed == 3 * [error(-32600, "A request is a JSON object.")]


@pytest.mark.parametrize("line", [b"[]", b"[ ]", b"[1,2,3,4]"])
def test_an_empty_or_too_large_batch(line):
    assert rejection(line) == error(-32600, "A batch has 1 to 3 requests.")


# Replies ---------------------------------------------------------------------------------------


def test_a_refusal_of_the_database_becomes_an_error():
    body = b'{"seats": [7], "reason": "seat_taken", "message": "Seat 7 is taken."}'
    assert jsonrpc.encode_reply(b"1", Answer(msgspec.Raw(body), refused=True)) == (
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32001,"message":"Seat 7 is taken.",'
        b'"data":{"reason":"seat_taken","seats":[7]}}}\n'
    )


def test_a_bad_request_has_the_code_of_invalid_params():
    body = b'{"field": "date", "takes": "a date", "reason": "bad_request", "message": "No."}'
    reply = jsonrpc.encode_reply(b"1", Answer(msgspec.Raw(body), refused=True))
    assert reply.startswith(b'{"jsonrpc":"2.0","id":1,"error":{"code":-32602,')


def test_an_internal_error_has_only_a_request_id():
    assert jsonrpc.encode_internal_error(b"1", "c0ffee00") == (
        b'{"jsonrpc":"2.0","id":1,"error":{"code":-32603,"message":"Something went wrong inside the server.",'
        b'"data":{"request_id":"c0ffee00"}}}\n'
    )


# For the client --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        protocol.Ping(),
        protocol.Search(origin="Hampi é", destination="b", date=datetime.date(2026, 12, 5), ac=True),
        protocol.Book(
            bus_id=2**62, travel_date=datetime.date(2026, 12, 5), from_stop=1, to_stop=2, count=2, key="k"
        ),
        protocol.Alight(reference="ABC", at=3, tickets=[1]),
    ],
)
def test_the_server_decodes_what_the_client_encodes(request_):
    line = jsonrpc.encode_request(5, request_)
    assert line.endswith(b"}\n")
    assert line.count(b"\n") == 1
    assert jsonrpc.parse(line[:-1], MAX_BATCH) == jsonrpc.Incoming(b"5", request_)


def test_a_result_is_decoded_to_its_type():
    line = jsonrpc.encode_reply(
        b"1",
        Answer(msgspec.Raw(b'{"server": "busware", "version": "1", "time_zone": "UTC", "more": 1}'), False),
    )
    pong = protocol.Pong(server="busware", version="1", time_zone="UTC")
    assert jsonrpc.decode_reply(line, protocol.Pong) == pong


def test_a_refusal_is_raised_with_its_data():
    line = jsonrpc.encode_refusal(b"1", Refusal("sold_out", "2 are free.", seats_free=2))
    with pytest.raises(Refusal) as raised:
        jsonrpc.decode_reply(line, protocol.Booking)
    refusal = raised.value
    assert (refusal.reason, refusal.message, refusal.data) == ("sold_out", "2 are free.", {"seats_free": 2})


def test_an_error_without_a_reason_is_raised_as_rpc_error():
    with pytest.raises(jsonrpc.RpcError) as raised:
        jsonrpc.decode_reply(jsonrpc.encode_internal_error(b"1", "c0ffee00"), protocol.Booking)
    assert (raised.value.code, raised.value.data) == (-32603, {"request_id": "c0ffee00"})


def test_notifications_and_replies_are_distinguished():
    line = b'{"jsonrpc":"2.0","method":"message","params":{"text":"Hello"}}\n'
    assert jsonrpc.decode_notification(line) == jsonrpc.Notification("message", {"text": "Hello"})
    assert jsonrpc.decode_notification(jsonrpc.encode_internal_error(b"1", "")) is None


@pytest.mark.parametrize("line", [b"", b"\n", b"hello\n", b"{}\n", b'{"id":1}\n', b'{"id":1,"result":[]}\n'])
def test_a_line_that_is_not_a_reply(line):
    with pytest.raises(msgspec.DecodeError):
        jsonrpc.decode_reply(line, protocol.Pong)


# The version -----------------------------------------------------------------------------------


def test_the_version_is_that_of_the_package():
    assert importlib.metadata.version(protocol.SERVER) == protocol.VERSION
