"""Random input for the server: lines for the TCP port and requests for the HTTP port.

Most inputs are nearly right: they pass the first checks and reach the code behind these.
"""

import json
import random
import re
from typing import Any
from urllib.parse import quote, urlencode

from busware.server.http.routes import RESOURCES
from busware.server.protocol import METHODS

RARE = ("register", "login", "logout", "cancel_trip")  # slow, or others would have no effect after them
PHONES = ["98450 12345"] * 3 + ["+919845054321", "080-2222 3333"]
COMMON: dict[str, list[Any]] = {  # values of fields that are mostly accepted
    "bus_id": [1, 1, 2, 99], "seats": [[1], [2, 3], [1, 1]], "count": [1, 2, 7], "seat_no": [1, 4, 9],
    "ticket_no": [1, 2], "tickets": [[1], [1, 2]], "from_stop": [1, 2], "to_stop": [2, 3, 5],
    "limit": [1, 50],
    "seconds": [10, 60], "phone": PHONES, "username": ["asha", "ravi"], "password": ["long enough", "x"],
    "kind": ["bus", "flight", "show", "hotel"], "waitlist": [True, False], "current": [True, False],
    "fare": ["260.00"], "ac": [True, False], "bus_type": ["SEATER", "SLEEPER"], "key": ["k1", "k2"],
    "passengers": [[], [{"name": "Asha"}], [{}, {}]], "text": ["hello"], "reason": ["flood"],
}  # fmt: skip
USUAL = {  # fields that fit together
    "bus_id", "travel_date", "date", "origin", "destination", "count", "phone", "reference", "text", "reason",
    "at", "tickets", "ticket_no", "seat_no", "from", "to", "username", "password",
}  # fmt: skip
PLACES = ["Bengaluru", "Bengaluru", "Mysuru", "Mysuru", "mandya", "Ooty", "Mysooru", "BLRU", "Nowhere"]
DATES = [f"2026-12-{day:02}" for day in range(1, 16)]
EXTREMES: list[Any] = [
    None, True, 0, -1, 2**31, 2**63, 10**40, 1.5, 1e300, "", " ", "\0", "\n", "\u2028", "\u202e", "%s",
    "é" * 40,
    "x" * 3000, "9" * 400, "0001-01-01", "9999-12-31", [], {}, [[]], [None], {"a": {}},
]  # fmt: skip
WORDS = [
    "bus", "flight", "show", "hotel", "status", "cancel", "change", "find", "seats", "say", "help", "quit",
    "back", "tomorrow", "2026-12-02", "sat", "1", "2", "1,2", "any", "yes", "no", "101", "Bengaluru",
    "Mysuru", "Mandya", "98450 12345", "Asha", "10:00", "stop it", "\x1b[A", "\x08\x08", "ನಮಸ್ಕಾರ", "💺",
]  # fmt: skip
TELNET = [
    b"\xff\xfd\x06",
    b"\xff\xfb\x01",
    b"\xff\xfa\x18\x00xterm\xff\xf0",
    b"\xff\xf4",
    b"\xff\xff",
    b"\xff\xfa",
]
HEADERS = [
    "Authorization: Bearer x", "Authorization: Basic eA==", "Authorization:", "Idempotency-Key: k1",
    "Accept: text/html", "Accept: text/event-stream", "If-None-Match: W/\"x\", *", "Expect: 100-continue",
    "Content-Type: text/plain", "Content-Type: application/x+json; charset=latin-1",
    "X-Forwarded-For: \x01,1.2.3.4",
    "Upgrade: websocket\r\nConnection: Upgrade", "Transfer-Encoding: chunked", "Content-Length: -1",
    "Content-Length: 7", "Host:", "Cookie: " + "x" * 500, "X: \xff\xfe", "Range: bytes=0-1",
]  # fmt: skip
UNENDING = {"Accept: text/event-stream", "Transfer-Encoding: chunked", "Content-Length: 7"}


_REFERENCE = re.compile(rb'"reference": ?"(B[A-Z0-9]{5})"')


class Fuzz:
    """A source of random input. token: of an admin.

    The seed and the number of an input decide everything in it but the references of bookings, which are
    those of the replies.
    """

    def __init__(self, seed: str, token: str) -> None:
        self.random = random.Random(seed)
        self._seed = seed
        self._inputs = 0
        self._token = token
        self._references = ["ABCDEFG"]

    def _begin_input(self) -> None:
        self._inputs += 1
        self.random.seed(f"{self._seed} {self._inputs}")

    def learn(self, reply: bytes) -> None:
        """Use the references in a reply for later input."""
        found = {reference.decode() for reference in _REFERENCE.findall(reply)}
        self._references += sorted(found.difference(self._references))
        del self._references[:-50]

    # Parts ---------------------------------------------------------------------------------------

    def _often(self, chance: float) -> bool:
        return self.random.random() < chance

    def _method(self) -> str:
        return self.random.choice([name for name in METHODS if name not in RARE or self._often(0.02)])

    def _value(self, field: str) -> Any:
        choose = self.random.choice
        if self._often(0.05):
            return choose(EXTREMES)
        if field == "reference":
            return choose(self._references)
        if field == "token":
            return self._token
        if field in ("origin", "destination", "place", "at"):
            return choose(PLACES)
        return choose(COMMON.get(field, DATES))

    def _params(self, method: str) -> dict[str, Any]:
        fields = METHODS[method].__struct_encode_fields__
        if self._often(0.3):
            return {name: self._value(name) for name in fields if self._often(0.6)}
        params = {name: self._value(name) for name in fields if name in USUAL}
        if "reference" not in fields and self._often(0.3):
            params |= {"origin": "Bengaluru", "destination": "Mysuru", "bus_id": 1}
        for name in self.random.sample(fields, min(len(fields), self.random.choice([0, 0, 0, 1, 2]))):
            params[name] = self._value(name)
        return params

    def mutated(self, data: bytes) -> bytes:
        """The bytes with some of them changed, removed or repeated."""
        changed = bytearray(data)
        for _ in range(self.random.randint(1, 4)):
            at = self.random.randint(0, len(changed))
            end = min(len(changed), at + self.random.choice([1, 1, 2, 8, 64]))
            inserted = self.random.choice(
                [b"", self.random.randbytes(2), b"\xff", b"\0", b'"', b"{", b"\\", bytes(changed[at:end]) * 3]
            )
            changed[at : end if self._often(0.5) else at] = inserted
        return bytes(changed)

    # Lines of the TCP port -----------------------------------------------------------------------

    def line(self) -> bytes:
        """A line with its newline; sometimes it contains others."""
        self._begin_input()
        choose = self.random.choice
        line = choose(
            [self._json, self._json, self._json, self._typed, self._typed, self._nested, self._bytes]
        )()
        if self._often(0.25):
            line = self.mutated(line)
        if self._often(0.03):
            line = choose(TELNET).join([line[:5], line[5:]])
        return line + b"\n"

    def _json(self) -> bytes:
        requests = [self._request() for _ in range(1 if self._often(0.9) else 3)]
        content = requests[0] if len(requests) == 1 else requests
        return json.dumps(content, ensure_ascii=self._often(0.5)).encode(errors="surrogatepass")

    def _request(self) -> dict[str, Any]:
        method = self._method()
        request: dict[str, Any] = {"jsonrpc": "2.0", "method": method, "params": self._params(method)}
        if self._often(0.9):
            request["id"] = self.random.choice([1, "a", None, 1.5, 10**30, {}, True])
        if self._often(0.03):
            request[self.random.choice([*request])] = self.random.choice(EXTREMES)
        return request

    def _typed(self) -> bytes:
        count = self.random.choice([1, 1, 1, 2, 5])
        words = self.random.choices([*WORDS, *self._references], k=count)
        return " ".join(words).encode()

    def _nested(self) -> bytes:
        depth = self.random.choice([5, 100, 5000, 30_000])
        bracket = self.random.choice([b"[", b'{"a":', b'{"jsonrpc":"2.0","id":1,"method":"ping","params":['])
        return bracket[: 65_000 // depth] * depth

    def _bytes(self) -> bytes:
        return self.random.randbytes(self.random.choice([0, 1, 10, 300]))

    # Requests of the HTTP port -------------------------------------------------------------------

    def http_request(self) -> tuple[bytes, bool]:
        """A request, and whether the server closes the connection after it, whatever the client does."""
        self._begin_input()
        hotel = self._often(0.15)
        head, body = self._hotel() if hotel else self._resource()
        admin = [f"Authorization: Bearer {self._token}"] if self._often(0.6) else []
        headers = self.random.sample(HEADERS, self.random.choice([0, 0, 1, 2]))
        lines = [head, "Host: localhost", *admin, *headers]
        if body:
            lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
        text = "\r\n".join([*lines, "Connection: close", "", ""])
        request = text.encode("latin-1", "replace") + body
        if self._often(0.15):
            return self.mutated(request), False
        return request, not UNENDING.intersection(headers)

    def _resource(self) -> tuple[str, bytes]:
        resource = self.random.choice([*RESOURCES.values()])
        if resource.request_type.method in RARE and not self._often(0.02):
            return "GET /schema HTTP/1.1", b""
        params = self._params(resource.request_type.method)
        path = resource.path
        for name in resource.path_fields:
            path = path.replace(f"{{{name}}}", quote(str(params.pop(name, self._value(name))), safe=""))
        if self._often(0.03):
            path += quote(self.random.randbytes(3))
        if resource.has_body:
            body = json.dumps(params).encode()
            return f"{resource.http_method} {path} HTTP/1.1", self.mutated(body) if self._often(0.1) else body
        query = urlencode(params, doseq=self._often(0.8))
        return f"{resource.http_method} {path}?{query} HTTP/1.1", b""

    def _hotel(self) -> tuple[str, bytes]:
        calls = [
            ("GET", "rooms"),
            ("POST", "query"),
            ("PUT", "update"),
            ("DELETE", "checkout"),
            ("POST", "x"),
        ]
        calls += [("POST", "book")] if self._often(0.05) else []
        method, name = self.random.choice(calls)
        fields: dict[str, Any] = {
            "username": self.random.choice(["nobody", *EXTREMES]),
            "password": self.random.choice(["x", *EXTREMES]),
            "num_rooms": self.random.choice([1, *EXTREMES]), "new_room": self.random.choice([1, *EXTREMES]),
            "check_in": self.random.choice([*DATES, *EXTREMES]),
            "check_out": self.random.choice([*DATES, None]),
        }  # fmt: skip
        fields = {name: value for name, value in fields.items() if self._often(0.8)}
        if method == "GET":
            return f"GET /hotel/{name}?{urlencode(fields)} HTTP/1.1", b""
        body = json.dumps(fields).encode()
        return f"{method} /hotel/{name} HTTP/1.1", self.mutated(body) if self._often(0.2) else body
