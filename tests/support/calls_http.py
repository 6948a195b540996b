"""The calls of the HTTP transcript: every path, its successes, and each status of its errors.

Under /hotel, the texts of the replies are compared, too.
"""

from typing import Any

from tests.support.transcripts import Entry

ASHA, RAVI = "98450 12345", "98450 54321"
PASSWORD = "correct horse battery"  # of every account
# The Argon2id hash of PASSWORD.
HASH = "$argon2id$v=19$m=65536,t=3,p=4$p437eNh0CV1iWqq+MZwsbQ$mzTMR/XaQOwZzjfrDcaHdEK08oIGgyPmMGZWGCmTXcA"
DAY: dict[str, Any] = {
    "bus_id": 1,
    "travel_date": "2026-12-11",
    "origin": "Bengaluru",
    "destination": "Mysuru",
}
SEGMENT: dict[str, Any] = {"origin": "Bengaluru", "destination": "Mysuru"}
SEATS = "/v1/trips/1/2026-12-11/seats"


def call(
    method: str, path: str, *, keep: dict[str, str] | None = None, token: str | None = None, **how: Any
) -> Entry:
    """A request. how: the other members of its entry."""
    if token:
        how["headers"] = {"Authorization": f"Bearer ${token}", **how.get("headers", {})}
    return {"http": method, "path": path, **how} | ({"keep": keep} if keep else {})


def get(path: str, **query: Any) -> Entry:
    """A GET with a query."""
    return call("GET", path, query=query)


def post(path: str, *, key: str | None = None, keep: str | None = None, **fields: Any) -> Entry:
    """A POST with a JSON object. keep: the name under which the returned reference is kept."""
    headers: dict[str, Any] = {"headers": {"Idempotency-Key": key}} if key else {}
    return call("POST", path, json=fields, keep={keep: "body.reference"} if keep else None, **headers)


TIMETABLE = [
    {"clock": "2026-12-01T09:00:00+05:30"},
    get("/v1/ping"),
    get("/v1/places"),
    call("GET", "/v1/places", query={"kind": "show"}, keep={"etag": "headers.etag"}),
    call("GET", "/v1/places", query={"kind": "show"}, headers={"If-None-Match": "$etag"}),
    get("/v1/trips", **SEGMENT, date="2026-12-11", seats=2, ac="false"),
    get("/v1/trips", origin="Mysooru", destination="Ooty", date="2026-12-11"),
    get("/v1/trips", **SEGMENT, date="tomorrow"),
    get("/v1/trips", **SEGMENT),
    get("/v1/trips", **SEGMENT, date="2026-12-11", speed=1),
    get(SEATS, **SEGMENT),
    call("GET", SEATS, query=SEGMENT, headers={"Accept": "text/event-stream"}, stream=True),
    get("/v1/trips/99/2026-12-11/seats", **SEGMENT),
    get(SEATS, origin="Mysuru", destination="Bengaluru"),
]  # fmt: skip

BOOKINGS = [
    post("/v1/bookings", **DAY, count=2, phone=ASHA, key="h-first", keep="h_pair"),
    post("/v1/bookings", **DAY, count=2, phone=ASHA, key="h-first"),
    post("/v1/bookings", **DAY, count=3, phone=ASHA, key="h-first"),
    post("/v1/bookings", **DAY | {"destination": "Mandya"}, seats=[7], phone=ASHA,
         passengers=[{"name": "Asha"}], keep="h_seat"),
    post("/v1/bookings", **DAY, seats=[7], phone=RAVI),
    post("/v1/bookings", **DAY, seats=[70], phone=RAVI),
    post("/v1/bookings", **DAY, count=7, phone=RAVI),
    post("/v1/bookings", **DAY, count=6, phone=RAVI),
    post("/v1/bookings", **DAY | {"destination": "Ooty"}, count=1, phone=RAVI),
    post("/v1/bookings", **DAY, count=1),
    post("/v1/bookings", **DAY, count=6, phone=RAVI, waitlist=True, keep="h_waits"),
    call("POST", "/v1/bookings", data="{"),
    call("POST", "/v1/bookings", data="[1]", headers={"Content-Type": "application/json"}),
    call("POST", "/v1/bookings", data="bus_id=1", headers={"Content-Type": "text/plain"}),
    call("POST", "/v1/bookings", data="{", pad=70_000, headers={"Content-Type": "application/json"}),
    post("/v1/holds", **DAY, seats=[5], phone=ASHA, seconds=300, keep="h_held"),
    post("/v1/holds", **DAY, seats=[6], phone=RAVI, keep="h_released"),
    get("/v1/bookings/$h_held", phone=ASHA),
    call("GET", "/v1/bookings/$h_held", query={"phone": ASHA}, headers={"Accept": "text/event-stream"},
         stream=True),
    get("/v1/bookings/$h_held", phone=RAVI),
    get("/v1/bookings/NOSUCH7", phone=RAVI),
    post("/v1/bookings/$h_held/confirm", phone=ASHA),
    post("/v1/bookings/$h_held/confirm", phone=ASHA),
    post("/v1/bookings/$h_released/release", phone=RAVI),
    post("/v1/bookings/$h_released/confirm", phone=RAVI),
    post("/v1/bookings/$h_waits/confirm", phone=RAVI),
    get("/v1/bookings/$h_pair/cancel-quote", phone=ASHA, tickets=[1, 2]),
    get("/v1/bookings/$h_pair/cancel-quote", phone=ASHA, tickets=9),
    post("/v1/bookings/$h_pair/cancel", phone=ASHA, tickets=[2]),
    post("/v1/bookings/$h_pair/cancel", phone=ASHA, tickets=[2]),
    post("/v1/bookings/$h_seat/change-seat", phone=ASHA, ticket_no=1, seat_no=8),
    post("/v1/bookings/$h_seat/change-seat", phone=ASHA, ticket_no=1, seat_no=5),
    post("/v1/bookings/$h_seat/alight", phone=ASHA, at="Ramanagara"),
    post("/v1/bookings/$h_seat/alight", phone=ASHA, at="Mysuru"),
    get("/v1/references", phone=RAVI, date="2026-12-11", place="Bengaluru"),
    get("/v1/references", phone=ASHA, date="2026-12-12", place="Bengaluru"),
]  # fmt: skip

ACCOUNTS = [
    call("POST", "/v1/accounts", json={"username": "hari", "password": PASSWORD, "phone": ASHA},
         keep={"hari": "body.token"}),
    post("/v1/accounts", username="hari", password=PASSWORD),
    post("/v1/accounts", username="hari2", password="short"),
    call("POST", "/v1/sessions", json={"username": "hari", "password": PASSWORD},
         keep={"hari_again": "body.token"}),
    post("/v1/sessions", token="$hari"),
    post("/v1/sessions", username="hari", password="battery staple"),
    call("GET", "/v1/bookings"),
    call("GET", "/v1/bookings", token="hari"),
    call("GET", "/v1/bookings", headers={"Authorization": "Bearer nonsense"}),
    call("GET", "/v1/bookings", headers={"Authorization": "Basic nonsense"}),
    call("POST", "/v1/bookings", token="hari", json=DAY | {"travel_date": "2026-12-12", "seats": [1]},
         keep={"h_own": "body.reference"}),
    {"clock": "2026-12-01T09:00:30+05:30"},  # later, so the next booking is the newer one
    call("POST", "/v1/bookings", token="hari", json=DAY | {"travel_date": "2026-12-12", "seats": [2]},
         keep={"h_own_too": "body.reference"}),
    call("GET", "/v1/bookings", token="hari", query={"limit": 1}, keep={"h_next": "body.next"}),
    call("GET", "/v1/bookings", token="hari", query={"limit": 1, "after": "$h_next", "current": "true"}),
    call("GET", "/v1/bookings/$h_own", token="hari"),
    call("GET", "/v1/operator/trips", token="hari", query={"date": "2026-12-11"}),
    call("DELETE", "/v1/sessions", token="hari"),
    call("DELETE", "/v1/sessions", token="hari"),
    call("DELETE", "/v1/sessions", token="hari_again", query={"everywhere": "true"}),
    post("/v1/messages", text="Is there a bus at noon?"),
    post("/v1/messages", text=""),
    post("/v1/sessions", username="nobody", password="battery staple") | {"times": 10},
    post("/v1/sessions", username="nobody", password="battery staple"),
]  # fmt: skip

TRIP = "/v1/trips/1/2026-12-12"
RANGE = {"from": "2026-12-16", "to": "2026-12-16"}
OPERATORS = [
    {"sql": "SELECT api.add_operator('warden', %s, 'KSRTC')", "args": [HASH]},
    call("POST", "/v1/sessions", json={"username": "warden", "password": PASSWORD},
         keep={"warden": "body.token"}),
    call("GET", "/v1/operator/trips"),
    call("GET", "/v1/operator/trips", token="warden", query={"date": "2026-12-11", "limit": 1}),
    call("GET", f"{TRIP}/manifest", token="warden"),
    call("GET", "/v1/trips/2/2026-12-12/manifest", token="warden"),
    call("GET", "/v1/trips/1/2027-12-12/manifest", token="warden"),
    call("POST", f"{TRIP}/notice", token="warden", json={"text": "The bus leaves from bay 4."}),
    call("POST", f"{TRIP}/notice", json={"text": "Rain."}),
    call("POST", "/v1/services/1/sales", token="warden", json=RANGE),
    call("POST", "/v1/services/1/sales", token="warden", json={"from": "2026-12-16"}),
    call("POST", "/v1/services/2/sales", token="warden", json=RANGE),
    call("POST", f"{TRIP}/cancel", token="warden", json={"reason": "Landslide."}),
    call("POST", f"{TRIP}/cancel", token="warden", json={"reason": "Landslide."}),
    call("POST", f"{TRIP}/cancel", token="warden", json={}),
    post("/v1/bookings", **DAY | {"travel_date": "2026-12-12"}, count=1, phone=RAVI),
    get("/v1/bookings/$h_own", phone=ASHA),
]  # fmt: skip


def guest(method: str, endpoint: str, username: str, password: str = "my word", **fields: Any) -> Entry:
    """A request of a guest of the hotel."""
    return call(method, f"/hotel/{endpoint}", json={"username": username, "password": password, **fields})


NIGHTS = {"check_in": "2026-12-05", "check_out": "2026-12-07"}
HOTEL = [
    get("/hotel/rooms"),
    guest("POST", "query", "ravi_h"),
    guest("POST", "book", "ravi_h", num_rooms=2),
    guest("POST", "book", "asha_h", num_rooms=1, **NIGHTS),
    get("/hotel/rooms"),
    get("/hotel/rooms", **NIGHTS),
    guest("POST", "query", "ravi_h"),
    guest("POST", "query", "ravi_h", password="another"),
    guest("POST", "book", "asha_h", num_rooms=9),
    guest("POST", "book", "asha_h", num_rooms=0),
    guest("POST", "book", "asha_h"),
    guest("POST", "book", "asha_h", num_rooms=1, check_in="2026-12-07", check_out="2026-12-05"),
    guest("POST", "book", "asha_h", num_rooms=1, check_in="2026-11-30", check_out="2026-12-01"),
    guest("POST", "book", "asha_h", num_rooms=1, check_in="soon", check_out="later"),
    guest("PUT", "update", "ravi_h", new_room=8),
    guest("PUT", "update", "ravi_h", new_room=8),
    guest("PUT", "update", "ravi_h", new_room=11),
    guest("PUT", "update", "ravi_h", new_room="8"),
    guest("PUT", "update", "nobody_h", new_room=8),
    guest("POST", "book", "mira_h", num_rooms=1),
    guest("PUT", "update", "mira_h", new_room=2),
    guest("DELETE", "checkout", "ravi_h"),
    guest("DELETE", "checkout", "ravi_h"),
    guest("POST", "query", "ravi_h"),
    guest("PUT", "update", "ravi_h", new_room=3),
    guest("DELETE", "checkout", "ravi_h", password="another"),
    guest("DELETE", "checkout", "nobody_h"),
    call("POST", "/hotel/query", data="{"),
    call("POST", "/hotel/query", data="{}"),
    call("POST", "/hotel/rooms", data="{}"),
    get("/hotel/minibar"),
]  # fmt: skip

OTHERS = [
    get("/healthz"),
    get("/readyz"),
    get("/metrics"),
    call("GET", "/schema", unread=True),  # what it describes is in published.json
    call("GET", "/schema", headers={"Accept": "text/html"}, unread=True),
    call("GET", "/schema/openapi.json", unread=True),
    get("/v1/nothing"),
    call("DELETE", "/v1/trips"),
]  # fmt: skip

CALLS = [*TIMETABLE, *BOOKINGS, *ACCOUNTS, *OPERATORS, *HOTEL, *OTHERS]
