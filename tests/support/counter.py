"""A counter for tests: the agents `kumar` and `latha` of KSRTC, their operator `meera`, and an admin `root`.

Service 1 is KSRTC's, service 2 another operator's. The whole route of service 1 costs 260.00, and a
cancellation refunds half of it.
"""

from typing import Any

import pytest
from psycopg.types.json import Jsonb

from tests.support.schema_api import Answer, SchemaApi, book, call, check


def add_counter(api: SchemaApi) -> None:
    """Add the accounts."""
    api.conn.execute(
        "SELECT api.add_agent('kumar', '', 'KSRTC'), api.add_agent('latha', '', 'KSRTC'), "
        "api.add_operator('meera', '', 'KSRTC'), api.add_operator('other', '', 'SRS Travels'), "
        "api.add_operator('root', '')"
    )


def change(api: SchemaApi, method: str, account: str = "meera", **args: Any) -> Answer:
    """Call api.change_agent as an account; about kumar, unless args name another agent."""
    statement = "SELECT refused, answer FROM api.change_agent(%s, %s)"
    fields = Jsonb({"agent": "kumar", "account": account, **args})
    ((refused, answer),) = api.conn.execute(statement, (method, fields)).fetchall()
    assert refused is ("reason" in answer)
    check(method, answer)
    return dict(answer)


def put_agent(api: SchemaApi, **args: Any) -> Answer:
    """Change the terms of an agent."""
    return change(api, "put_agent", **args)


def settlement(api: SchemaApi, account: str = "kumar", **args: Any) -> Answer:
    """A settlement, as an account reads it."""
    return api.read("settlement", account=account, **args)


def settle(api: SchemaApi, **args: Any) -> Answer:
    """Settle what is open, with the amount that is due, unless args say otherwise."""
    agent = args.get("agent", "kumar")
    due = settlement(api, account="meera", agent=agent)
    now = {"settlement_no": due["settlement_no"], "handed_over": due["due"]}
    return change(api, "settle_agent", **(now | args))


def sell(api: SchemaApi, *seats: int, **args: Any) -> Answer:
    """Sell these seats to ASHA at kumar's counter."""
    return api.book(*seats, **{"sold_by": "kumar", **args})


def sale_at_counter(*seats: int, **args: Any) -> Answer:
    """A sale at kumar's counter as a call of a batch."""
    return book(*seats, **{"sold_by": "kumar", **args})


def confirm(booking: Answer, account: str | None = "kumar") -> Answer:
    """A confirmation by an agent as a call of a batch."""
    return call("confirm", reference=booking["reference"], account=account)


@pytest.fixture
def counter(api: SchemaApi) -> SchemaApi:
    add_counter(api)
    return api
