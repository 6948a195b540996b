"""The calls of the JSON-RPC transcript: every method, its successes, and its reasons for refusal.

Not included: busy, draining, outcome_unknown and internal errors, which need a failing server or database.
"""

from itertools import count
from typing import Any

from tests.support.transcripts import Entry

ASHA, RAVI = "98450 12345", "98450 54321"
PASSWORD = "correct horse"  # of every account
# The Argon2id hash of PASSWORD.
HASH = "$argon2id$v=19$m=65536,t=3,p=4$atPgoARe9iDTqwjphvcnmg$9SsAXJsg4bnIt8j5BwCjhUXhsRP1E0128Lxeiyiq/Zo"

DAY: dict[str, Any] = {
    "bus_id": 1,
    "travel_date": "2026-12-05",
    "origin": "Bengaluru",
    "destination": "Mysuru",
}
NIGHT: dict[str, Any] = {
    "bus_id": 2,
    "travel_date": "2026-12-06",
    "origin": "Bengaluru",
    "destination": "Ooty",
}
CAR: dict[str, Any] = {"bus_id": 3, "travel_date": "2026-12-04", "origin": "Mysuru", "destination": "Ooty"}
EXTRA: dict[str, Any] = {"bus_id": 1, "from": "2026-12-16", "to": "2026-12-17"}  # days put on sale
ROUTE: dict[str, Any] = {"origin": "Bengaluru", "destination": "Mysuru"}

_ids = count(1)


def call(method: str, *, on: str = "guest", keep: str | None = None, times: int = 1, **params: Any) -> Entry:
    """A call of a method. on: the name of its connection. keep: the name for the reference in its result."""
    request: Entry = {"jsonrpc": "2.0", "id": next(_ids), "method": method}
    request |= {"params": params} if params else {}
    return (
        {"on": on, "send": request}
        | ({"times": times} if times > 1 else {})
        | ({"keep": {keep: "result.reference"}} if keep else {})
    )


def sign_in(method: str, token: str, *, on: str, **params: Any) -> Entry:
    """A call of register or login. token: the name for the token in its result."""
    return call(method, on=on, **params) | {"keep": {token: "result.token"}}


def line(text: str, **how: Any) -> Entry:
    """A line that is sent unchanged. how: further members of the entry (see transcripts.py)."""
    return {"on": "guest", "send": text, **how}


def sql(statement: str, *args: Any, **how: Any) -> Entry:
    """A statement that the owner of the database executes. how: as for `line`."""
    return {"sql": statement, "args": list(args), **how}


PROTOCOL = [
    {"clock": "2026-12-01T10:00:00+05:30"},  # an hour after the HTTP transcript: its messages no longer count
    line("{"),
    line('{"jsonrpc":"2.0","id":1,"method":'),
    line('[{"jsonrpc":"2.0","id":"a","method":"ping"},{"jsonrpc":"2.0","method":"ping"},7]'),
    line('[{"jsonrpc":"2.0","method":"ping"}]', silent=True),
    line('{"jsonrpc":"2.0","method":"ping"}', silent=True),
    line('{"jsonrpc":"2.0","id":null,"method":"ping"}'),
    line('{"jsonrpc":"2.0","id":"seven","method":"ping","params":{}}'),
    line("[]"),
    line('{"id":8,"method":"ping"}'),
    line('{"jsonrpc":"2.0","id":9,"method":"ping"}', pad=65_537),
    line('{"jsonrpc":"2.0","id":10,"method":"serch"}'),
    line('{"jsonrpc":"2.0","id":11,"method":"search","params":[1]}'),
]  # fmt: skip

TIMETABLE = [
    call("ping"),
    call("ping", speed=1),
    call("places"),
    call("places", kind="flight"),
    call("places", kind="Bad kind!"),
    call("search", origin="bangalore", destination="MYSU", date="2026-12-05"),
    call("search", **ROUTE, date="2026-12-05", bus_type="SLEEPER", ac=True, seats=2, kind="bus"),
    call("search", **ROUTE, date="2026-12-05", until="2026-12-06"),
    call("search", **ROUTE, date="2026-12-05", bus_type="SEMI_SLEEPER"),
    call("search", origin="USA", destination="IND", date="2026-12-10", kind="flight"),
    call("search", origin="Mysooru", destination="Ooty", date="2026-12-05"),
    call("search", **ROUTE, date="tomorrow"),
    call("search", **ROUTE, date="2026-11-30"),
    call("search", **ROUTE, date="2027-06-01"),
    call("search", **ROUTE),
    call("seat_map", **DAY),
    call("seat_map", bus_id=2, travel_date="2026-12-05", from_stop=2, to_stop=4),
    call("seat_map", **DAY | {"bus_id": 99}),
    call("seat_map", **DAY | {"travel_date": "2027-06-01"}),
    call("seat_map", **DAY | {"origin": "Nowhere"}),
    call("seat_map", **DAY | {"destination": "Ooty"}),
    call("seat_map", bus_id=1, travel_date="2026-12-05"),
]  # fmt: skip

SALES = [
    call("book", **DAY | {"destination": "Mandya"}, seats=[7], phone=ASHA, passengers=[{"name": "Asha"}],
         key="first", keep="first"),
    call("book", **DAY | {"destination": "Mandya"}, seats=[7], phone=ASHA, passengers=[{"name": "Asha"}],
         key="first"),
    call("book", **DAY, seats=[8], phone=ASHA, key="first"),
    call("book", **DAY, seats=[7], phone=RAVI),
    call("book", **DAY | {"origin": "Mandya"}, seats=[7], phone=RAVI, keep="resold"),
    call("book", **DAY, seats=[9], phone=RAVI),
    call("book", **DAY, count=7, phone=RAVI),
    call("book", **DAY, count=2, phone=RAVI, passengers=[{"name": "Ravi"}, {}], keep="pair"),
    call("book", bus_id=2, travel_date="2026-12-07", from_stop=1, to_stop=3, seats=[1], phone=RAVI,
         keep="by_position"),
    call("book", **DAY | {"bus_id": 99}, count=1, phone=RAVI),
    call("book", **DAY | {"travel_date": "2027-06-01"}, count=1, phone=RAVI),
    call("book", **DAY | {"origin": "Mysooru"}, count=1, phone=RAVI),
    call("book", **DAY | {"origin": "Mysuru", "destination": "Mandya"}, count=1, phone=RAVI),
    call("book", **DAY, count=1),
    call("book", **DAY, count=1, phone="12"),
    call("book", **DAY, phone=RAVI),
    call("book", **DAY, seats=[1, 1], phone=RAVI),
    call("book", **DAY, count=1, phone=RAVI, passengers=[{}, {}]),
    call("book", **DAY, count=1, phone=RAVI, window=True),
    call("book", **CAR, count=1, phone=ASHA, keep="car"),
    call("book", **CAR, count=1, phone=RAVI),
    call("book", **CAR, count=1, phone=RAVI, waitlist=True, keep="car_waits"),
    call("book", **CAR, count=1, phone="98450 99999", waitlist=True),
    call("hold", **DAY, seats=[5, 6], phone=ASHA, seconds=300, keep="held"),
    call("hold", **DAY, seats=[6], phone=RAVI),
    call("hold", **DAY, seats=[6], phone=RAVI, seconds=5),
    call("seat_map", **DAY),
    call("confirm", reference="$held", phone=ASHA),
    call("confirm", reference="$held", phone=ASHA),
    call("release", reference="$held", phone=ASHA),
    call("confirm", reference="$car_waits", phone=RAVI),
    call("confirm", reference="$held", phone=RAVI),
    call("hold", **DAY | {"travel_date": "2026-12-08"}, count=2, phone="+44 20 7946 0958", keep="released"),
    call("release", reference="$released", phone="+44 20 7946 0958", key="give up"),
    call("release", reference="$released", phone="+44 20 7946 0958", key="give up"),
    call("release", reference="$released", phone="+44 20 7946 0958"),
    call("confirm", reference="$released", phone="+44 20 7946 0958"),
    call("release", reference="$car_waits", phone=RAVI),
]  # fmt: skip

CHANGES = [
    call("booking", reference="$first", phone=ASHA),
    call("booking", reference="$first", phone="98450 99999"),
    call("booking", reference="NOSUCH7", phone=ASHA),
    call("booking"),
    call("find", phone=ASHA, date="2026-12-05", place="Mandya"),
    call("find", phone=ASHA, date="2026-12-04", place="Mysuru"),
    call("find", phone=ASHA, date="2026-12-05", place="Mysooru"),
    call("change_seat", reference="$first", phone=ASHA, ticket_no=1, seat_no=3),
    call("change_seat", reference="$first", phone=ASHA, ticket_no=1, seat_no=6),
    call("change_seat", reference="$first", phone=ASHA, ticket_no=1, seat_no=9),
    call("change_seat", reference="$first", phone=ASHA, ticket_no=2, seat_no=4),
    call("change_seat", reference="$car_waits", phone=RAVI, ticket_no=1, seat_no=1),
    call("alight", reference="$by_position", phone=RAVI, at="Mandya"),
    call("alight", reference="$held", phone=ASHA, tickets=[1], at=2),
    call("alight", reference="$held", phone=ASHA, at="Ooty"),
    call("alight", reference="$held", phone=ASHA, at="Mysooru"),
    call("alight", reference="$car_waits", phone=RAVI, at="Ooty"),
    call("cancel_quote", reference="$pair", phone=RAVI),
    call("cancel_quote", reference="$pair", phone=RAVI, tickets=[2]),
    call("cancel_quote", reference="$pair", phone=RAVI, tickets=[3]),
    call("cancel", reference="$pair", phone=RAVI, tickets=[2], key="part"),
    call("cancel", reference="$pair", phone=RAVI, tickets=[2], key="part"),
    call("cancel", reference="$pair", phone=RAVI, tickets=[2]),
    call("cancel", reference="$pair", phone=RAVI, tickets=[3]),
    call("cancel", reference="$resold", phone=RAVI),
    call("cancel_quote", reference="$resold", phone=RAVI),
    call("alight", reference="$resold", phone=RAVI, at="Srirangapatna"),
    call("change_seat", reference="$resold", phone=RAVI, ticket_no=1, seat_no=2),
]  # fmt: skip

WAITLIST = [
    call("book", **NIGHT, seats=[1, 2], phone=ASHA, keep="night"),
    call("book", **NIGHT, seats=[3, 4], phone=ASHA, keep="upper"),
    call("book", **NIGHT, count=2, phone=RAVI, waitlist=True, keep="promoted", on="waiter"),
    call("hold", **NIGHT, count=3, phone=RAVI, waitlist=True, keep="waiting", on="waiter"),
    call("cancel", reference="$night", phone=ASHA),
    {"on": "waiter", "await": "booking_changed"},
    call("booking", reference="$promoted", phone=RAVI),
    call("cancel", reference="$car", phone=ASHA),
    call("booking", reference="$car_waits", phone=RAVI),
]  # fmt: skip

EXPIRY = [
    call("hold", **DAY | {"travel_date": "2026-12-09"}, seats=[1], phone=ASHA, seconds=60, keep="again"),
    call("hold", **DAY | {"travel_date": "2026-12-09"}, seats=[2], phone=ASHA, seconds=60, keep="expired"),
    call("hold", **DAY | {"travel_date": "2026-12-09"}, seats=[3], phone=ASHA, seconds=60, keep="lost"),
    {"clock": "2026-12-01T10:02:00+05:30"},
    call("booking", reference="$expired", phone=ASHA),
    call("confirm", reference="$again", phone=ASHA),
    call("book", **DAY | {"travel_date": "2026-12-09"}, seats=[3], phone=RAVI, keep="faster"),
    call("confirm", reference="$lost", phone=ASHA),
    call("release", reference="$expired", phone=ASHA),
    call("cancel", reference="$expired", phone=ASHA),
]  # fmt: skip

ACCOUNTS = [
    call("bookings"),
    call("logout"),
    sign_in("register", "asha", on="asha", username="Asha", password=PASSWORD, phone=ASHA),
    call("register", username="asha", password=PASSWORD),
    call("register", username="ravi", password="short"),
    call("register", username="ravi"),
    call("bookings", on="asha"),
    call("book", **DAY | {"travel_date": "2026-12-07"}, seats=[1], on="asha", keep="own"),
    {"clock": "2026-12-01T10:02:30+05:30"},  # later, so the next booking is the newer one
    call("book", **DAY | {"travel_date": "2026-12-08"}, seats=[1], phone=ASHA, on="asha", keep="own_too"),
    call("bookings", on="asha"),
    call("bookings", on="asha", limit=1) | {"keep": {"next": "result.next"}},
    call("bookings", on="asha", limit=1, after="$next"),
    call("bookings", on="asha", current=True, kind="bus"),
    call("bookings", on="asha", limit=1000),
    call("bookings", on="asha", after="no such page"),
    call("booking", on="asha", reference="$own"),
    call("booking", reference="$own", phone=ASHA),
    call("trips", on="asha", date="2026-12-05"),
    sign_in("login", "asha_again", on="asha_again", username="ASHA", password=PASSWORD),
    call("login", on="asha_by_token", token="$asha"),
    call("login", on="asha_by_token", token="A" * 43),
    call("login", username="asha", password="battery staple"),
    call("login", username="nobody", password=PASSWORD),
    call("login", username="asha"),
    sign_in("register", "ravi", on="ravi", username="ravi", password=PASSWORD),
    call("logout", on="ravi"),
    call("logout", on="ravi"),
    call("login", on="ravi", token="$ravi"),
    sign_in("login", "ravi_again", on="ravi", username="ravi", password=PASSWORD),
    sign_in("login", "ravi_elsewhere", on="ravi_elsewhere", username="ravi", password=PASSWORD),
    call("logout", on="ravi_elsewhere", everywhere=True),
    call("login", on="ravi", token="$ravi_again"),
    sign_in("register", "mallory", on="mallory", username="mallory", password=PASSWORD),
    call("login", username="mallory", password="battery staple", times=10),
    call("login", username="mallory", password=PASSWORD),
    call("booking", reference="$own_too", phone="98450 99999", times=20),
    call("booking", reference="$own_too", phone="98450 99999"),
    call("find", phone="98450 77777", date="2026-12-05", place="Mandya", times=20),
    call("find", phone="98450 77777", date="2026-12-05", place="Mandya"),
]  # fmt: skip

OPERATORS = [
    sql("SELECT api.add_operator('conductor', %s, 'KSRTC')", HASH),
    sql("SELECT api.add_operator('boss', %s)", HASH),
    call("trips", date="2026-12-05"),
    call("manifest", **{name: DAY[name] for name in ("bus_id", "travel_date")}),
    call("notice", bus_id=1, travel_date="2026-12-05", text="On time."),
    call("cancel_trip", bus_id=1, travel_date="2026-12-05", reason="Rain."),
    call("open_sales", **EXTRA),
    sign_in("login", "conductor", on="conductor", username="conductor", password=PASSWORD),
    sign_in("login", "boss", on="boss", username="boss", password=PASSWORD),
    call("trips", on="conductor", date="2026-12-05"),
    call("trips", on="conductor", date="2026-12-05", limit=1) | {"keep": {"next_trip": "result.next"}},
    call("trips", on="conductor", date="2026-12-05", limit=1, after="$next_trip"),
    call("trips", on="boss", date="2026-12-06"),
    call("manifest", on="conductor", bus_id=1, travel_date="2026-12-05"),
    call("manifest", on="conductor", bus_id=2, travel_date="2026-12-06"),
    call("manifest", on="conductor", bus_id=1, travel_date="2027-06-01"),
    call("open_sales", on="conductor", **EXTRA),
    call("open_sales", on="conductor", **EXTRA),
    call("open_sales", on="conductor", **EXTRA | {"to": "2026-12-15"}),
    call("open_sales", on="conductor", **EXTRA | {"bus_id": 2}),
    call("open_sales", on="boss", **EXTRA | {"bus_id": 99}),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2026-12-07", reason="The road is closed.",
         key="road"),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2026-12-07", reason="The road is closed.",
         key="road"),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2026-12-07", reason="The road is closed."),
    call("cancel_trip", on="conductor", bus_id=2, travel_date="2026-12-07", reason="Rain."),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2027-06-01", reason="Rain."),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2026-12-08"),
    {"on": "asha", "await": "booking_changed"},
    call("booking", on="asha", reference="$own"),
    call("book", **DAY | {"travel_date": "2026-12-07"}, count=1, phone=ASHA),
    call("logout", on="boss"),
    sign_in("login", "boss_again", on="boss", username="boss", password=PASSWORD),
    # An operator account of another company, which cannot sign in after its password was changed.
    sql("SELECT api.add_operator('depot', %s, 'SRS Travels')", HASH),
    sql("SELECT api.change_password('depot', %s)", HASH),
]  # fmt: skip

MESSAGES = [
    call("say", on="asha", text="Is the 10:00 on time?"),
    call("say", on="asha", text=""),
    call("notice", on="conductor", bus_id=1, travel_date="2026-12-08", text="The bus leaves from bay 4."),
    {"on": "asha", "await": "message", "text": "The bus leaves from bay 4."},
    call("notice", on="conductor", bus_id=2, travel_date="2026-12-06", text="Rain."),
    call("notice", on="conductor", bus_id=1, travel_date="2027-06-01", text="Rain."),
    sql("SELECT api.notice('Your bag is at the counter.', reference => %s)", "$own_too"),
    {"on": "asha", "await": "message", "text": "Your bag is at the counter."},
    sql("SELECT api.notice('Welcome.', client_no => c.client_no) FROM clients AS c"
        " WHERE c.account = 'asha' AND c.reference = %s AND c.left_at IS NULL", "$own", wait=True),
    {"on": "asha", "await": "message", "text": "Welcome."},
    sql("SELECT api.notice('Happy holidays to all.')"),
    {"on": "asha", "await": "message", "text": "Happy holidays to all."},
    # To a booking of the HTTP transcript. It is pushed when a connection opens the booking.
    sql("SELECT api.notice('Seat 5 has a new cushion.', reference => %s)", "$h_held"),
    call("booking", on="late", reference="$h_held", phone=ASHA),
    {"on": "late", "await": "message", "text": "Seat 5 has a new cushion."},
    call("say", on="late", text="Thank you.", times=59),
    call("say", on="late", text="Thank you."),
]  # fmt: skip

DEPARTURE = [
    {"clock": "2026-12-01T10:04:00+05:30"},
    call("book", bus_id=1, travel_date="2026-12-01", origin="Ramanagara", destination="Mysuru", count=1,
         phone=ASHA, keep="left"),
    call("hold", bus_id=1, travel_date="2026-12-01", origin="Ramanagara", destination="Mandya", count=1,
         phone=ASHA, seconds=1800, keep="left_held"),
    {"clock": "2026-12-01T11:00:00+05:30"},
    call("book", bus_id=1, travel_date="2026-12-01", origin="Ramanagara", destination="Mysuru", count=1,
         phone=ASHA),
    call("cancel_quote", reference="$left", phone=ASHA),
    call("cancel", reference="$left", phone=ASHA),
    call("change_seat", reference="$left", phone=ASHA, ticket_no=1, seat_no=8),
    call("confirm", reference="$left_held", phone=ASHA),
    call("release", reference="$left_held", phone=ASHA),
    call("alight", reference="$left", phone=ASHA, at="Srirangapatna"),
    {"clock": "2026-12-01T13:00:00+05:30"},
    call("alight", reference="$left", phone=ASHA, at="Mandya"),
    call("cancel_trip", on="conductor", bus_id=1, travel_date="2026-12-01", reason="Rain."),
]  # fmt: skip

# Holds, bookings and messages that are open when the database is dumped.
OPEN_AT_DUMP = [
    sql("SELECT api.end_service(4, DATE '2026-12-03')"),
    call("search", origin="Mandya", destination="Mysuru", date="2026-12-05", kind="bus"),
    call("hold", **DAY | {"travel_date": "2026-12-10"}, seats=[1, 2], phone=ASHA, seconds=1800,
         keep="open_hold"),
    call("hold", **DAY | {"travel_date": "2026-12-10"}, seats=[3], phone=RAVI, seconds=1800,
         keep="other_hold"),
    call("book", **DAY | {"travel_date": "2026-12-10"}, seats=[4], phone=ASHA, key="kept", keep="kept"),
    call("book", **DAY | {"travel_date": "2026-12-10", "destination": "Mandya"}, seats=[5], phone=ASHA,
         keep="to_mandya"),
    call("book", **DAY | {"travel_date": "2026-12-10", "origin": "Mandya"}, seats=[5], phone=RAVI,
         keep="from_mandya"),
    call("book", **CAR | {"travel_date": "2026-12-05"}, count=1, phone=ASHA, keep="car_taken"),
    call("book", **CAR | {"travel_date": "2026-12-05"}, count=1, phone=RAVI, waitlist=True, keep="car_queue"),
    # A message that is not read: no connection follows this booking of the HTTP transcript.
    sql("SELECT api.notice('Seat 8 has a new cushion.', reference => %s)", "$h_seat"),
    sql("SELECT * FROM api.audit()"),
]  # fmt: skip

CALLS = [
    *PROTOCOL, *TIMETABLE, *SALES, *CHANGES, *WAITLIST, *EXPIRY, *ACCOUNTS, *OPERATORS, *MESSAGES,
    *DEPARTURE, *OPEN_AT_DUMP,
]  # fmt: skip
