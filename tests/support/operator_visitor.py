"""Operators who visit the pages: their accounts, and browsers in which they are signed in."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.http_client import HttpClient
from tests.support.page_visitor import Page, Visitor

if TYPE_CHECKING:
    from tests.conftest import Database

PASSWORD = "correct horse battery"
KSRTC, SRS = "KSRTC", "SRS Travels"  # the operators of services 1 and 2

AddAccount = Callable[[str, str | None], None]


@pytest.fixture
def add_account(http: HttpClient, database: "Database") -> AddAccount:
    """A function that creates an account: its name, and the operator whose services it runs, if any."""

    def add(username: str, operator: str | None) -> None:
        account = {"username": username, "password": PASSWORD}
        http.call("POST", "/v1/accounts", json=account).raise_for_status()
        if operator:
            database.query(
                "UPDATE accounts SET role = 'operator', operator = %s WHERE username = %s", operator, username
            )

    return add


def sign_in(visitor: Visitor, username: str, to: str = "/operator") -> Page:
    """Sign in; returns the page that follows."""
    form = visitor.get(f"/sign-in?to={to}").form("/sign-in")
    return visitor.send(form, username=username, password=PASSWORD)


@pytest.fixture
def operator(visitor: Visitor, add_account: AddAccount) -> Visitor:
    """The browser of an operator of KSRTC."""
    add_account("conductor", KSRTC)
    sign_in(visitor, "conductor")
    return visitor


@pytest.fixture
def other_operator(other_visitor: Visitor, add_account: AddAccount) -> Visitor:
    """The browser of an operator of SRS Travels."""
    add_account("srs", SRS)
    sign_in(other_visitor, "srs")
    return other_visitor
