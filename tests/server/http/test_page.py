"""The page of the OpenAPI document in a browser."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import Open

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.system


def test_page_is_accessible(open_page: Open, violations: Callable[["Page"], list[str]]) -> None:
    page = open_page("/schema")
    assert page.locator("#sold_out").is_visible()
    assert violations(page) == []
