"""Staff accounts for tests: requests of the accounts of tests/support/counter.py."""

import hashlib

from psycopg.types.json import Jsonb

from tests.support.schema_api import Answer, SchemaApi, check


def token_digest(text: str) -> bytes:
    """What the database stores of a token."""
    return hashlib.sha256(text.encode()).digest()


def put_staff(
    api: SchemaApi, username: str, account: str = "meera", token: str = "t1", **args: object
) -> Answer:
    """Call api.put_staff as an account. token: the one that the answer would have."""
    fields = Jsonb({"username": username, "account": account, **args})
    ((refused, answer),) = api.conn.execute(
        "SELECT refused, answer FROM api.put_staff(%s, %s, interval '48 hours')",
        (fields, token_digest(token)),
    ).fetchall()
    assert refused is ("reason" in answer)
    check("put_staff", answer)
    return dict(answer)


def staff(api: SchemaApi, account: str = "meera", **args: object) -> list[tuple[str, str, str | None]]:
    """The username, the role and the operator of each account that an account may see."""
    listed = api.read("staff", account=account, **args)
    return [(one["username"], one["role"], one.get("operator")) for one in listed["staff"]]
