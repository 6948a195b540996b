"""The page of the OpenAPI document in a browser."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.support.browser import PHONE, Open

if TYPE_CHECKING:
    from playwright.sync_api import Page

pytestmark = pytest.mark.system


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_page_is_accessible(open_page: Open, violations: Callable[["Page"], list[str]], theme: str) -> None:
    page = open_page("/schema", color_scheme=theme, viewport=PHONE)
    assert page.locator("#sold_out").is_visible()
    assert violations(page) == []
