"""Phone numbers, passwords and tokens are not in the log, also if a statement fails with its parameters."""

import logging
import re

import pytest

from busware.server.logs import FORMATTERS
from busware.server.protocol import METHODS
from tests.conftest import Database, LineClient
from tests.server.tcp.test_extreme_values import FIELDS, LEFT_OUT
from tests.support.http_client import HttpClient

SECRETS = {"password": "password-marker", "token": "token-marker", "phone": "98450 12345"}
IDENTIFIERS = {  # in paths
    "reference": "ABCDEFG", "code": "CKPT", "registration": "KA09F1234", "offer_no": 1, "agent": "kumar",
    "webhook": "accounting",
    "payment": "0b2f6c1e-5f0a-4a53-9d0c-7f3e4a1b2c3d", "refund_id": "0b2f6c1e-5f0a-4a53-9d0c-7f3e4a1b2c3e",
}  # fmt: skip
# The functions that a request calls before others. While they fail, the others are not called.
CALLED_FIRST = ("password_parameters", "count_registration", "reached_limit")
ENTRY_POINTS = """
    SELECT p.proname, p.oid::regprocedure::text, p.pronargs
    FROM api.server_rights() r JOIN pg_proc p ON r.object = api.grantable('pg_proc', p.oid)
    WHERE r.privilege = 'EXECUTE' AND p.pronargs > 0
"""


def fail_with_parameters(database: Database, functions: list[tuple[str, str, int]]) -> None:
    """Replace each function by one whose error has all of its parameters."""
    for _, signature, count in functions:
        head = database.value("SELECT pg_get_functiondef(%s::regprocedure)", signature)
        values = ", ".join(f"${number}" for number in range(1, count + 1))
        body = f"BEGIN RAISE '%', jsonb_build_array({values})::text; END"
        database.conn.execute(f"{head.partition(' LANGUAGE')[0]} LANGUAGE plpgsql AS $body${body}$body$")


def send_requests(client_socket: LineClient, http: HttpClient) -> None:
    """Send each request over both ports, with and without a token."""
    for method, kind in METHODS.items():
        known = {**FIELDS, **IDENTIFIERS, **SECRETS}
        fields = kind.__struct_encode_fields__
        params = {name: known[name] for name in fields if name in known and name not in LEFT_OUT - {"token"}}
        params |= {"reference": "ABCDEFG"} if "reference" in fields else {}
        client_socket.call(method, **params)
        client_socket.call(method, **{name: value for name, value in params.items() if name != "token"})
        for operation in kind.resources.values():
            http_method, path = operation.split(" ")
            body = {"json": params} if http_method in {"POST", "PUT"} else {"params": params}
            http.call(http_method, path.format(**known), token=SECRETS["token"], **body)
            http.call(http_method, path.format(**known), **body)
    guest = {"username": "asha", "password": SECRETS["password"], "num_rooms": 1}
    http.call("POST", "/hotel/book", json=guest)


def test_no_secret_of_a_request_is_logged(
    client_socket: LineClient,
    http: HttpClient,
    database: Database,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    functions = database.query(ENTRY_POINTS)
    assert {*CALLED_FIRST, "batch", "read", "send_message"} <= {name for name, *_ in functions}
    for first in (False, True):
        fail_with_parameters(database, [one for one in functions if (one[0] in CALLED_FIRST) is first])
        send_requests(client_socket, http)
    for form in FORMATTERS.values():
        lines = "\n".join(form().format(record) for record in caplog.records)
        assert "ABCDEFG" in lines
        lines = re.sub(r"request [0-9a-f]{8}\b", "", lines)  # a random number, in which any digits can be
        for secret in ("marker", "98450", "12345", "$argon2id"):
            assert secret not in lines
