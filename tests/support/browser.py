"""Chromium for tests of web pages, driven by Playwright, and axe-core, which finds violations of WCAG.

The browser is Debian's package chromium: Playwright downloads none. npm installs axe-core for the test.
"""

import shutil
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Literal, Protocol

import pytest

from tests.support.http_client import HttpClient
from tests.support.node import AXE, install

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

PHONE: "ViewportSize" = {"width": 360, "height": 800}  # pixels
DESK: "ViewportSize" = {"width": 1280, "height": 800}
BROWSER_WAIT_SECONDS = 60  # a test fails if a page takes longer: a machine of CI may be busy with other tests
_FIND = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"
_FAILED_STATUS = "Failed to load resource: the server responded with a status of"


class Open(Protocol):
    """Opens a page in a browser of its own, which has no cookies yet."""

    def __call__(self, path: str, **options: Any) -> "Page": ...


@pytest.fixture(scope="module")
def chromium() -> Iterator["Browser"]:
    """A Chromium without a window. It ends with the module, because Playwright occupies the event loop."""
    from playwright.sync_api import expect, sync_playwright  # only for these tests: the import takes time

    program = shutil.which("chromium")
    if program is None:
        pytest.skip("chromium is not installed: apt install chromium")
    expect.set_options(timeout=BROWSER_WAIT_SECONDS * 1000)
    with sync_playwright() as playwright, playwright.chromium.launch(executable_path=program) as browser:
        yield browser


@pytest.fixture
def open_page(chromium: "Browser", http: HttpClient) -> Iterator[Open]:
    """A function that opens a path of the HTTP server. options: those of Playwright's `new_context`.

    The test fails for an error in the console, an exception in a script, a violation of the
    Content-Security-Policy, and a request to another host. A status such as 409 is not an error.
    """
    contexts: list[BrowserContext] = []
    errors: list[str] = []

    def open_in_new_context(path: str, **options: Any) -> "Page":
        context = chromium.new_context(
            **{"base_url": http.url, "viewport": DESK, "locale": "en-IN"} | options
        )
        context.set_default_timeout(BROWSER_WAIT_SECONDS * 1000)
        contexts.append(context)
        context.on("console", lambda message: errors.extend(_errors(message)))
        context.on("weberror", lambda error: errors.append(str(error.error)))
        context.on("request", lambda request: errors.extend(_foreign(request.url, http.url)))
        page = context.new_page()
        page.goto(path)
        return page

    yield open_in_new_context
    for context in contexts:
        context.close()
    assert errors == []


def _errors(message: "ConsoleMessage") -> list[str]:
    is_error = message.type in ("error", "warning") and not message.text.startswith(_FAILED_STATUS)
    return [f"{message.location['url']}: {message.text}"] * is_error


def _foreign(url: str, own: str) -> list[str]:
    return [] if url.startswith((own, "data:", "blob:")) else [f"request to another host: {url}"]


@pytest.fixture(scope="session")
def axe_source(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core."""
    folder = tmp_path_factory.mktemp("axe")
    install(folder, AXE)
    return (folder / "node_modules" / "axe-core" / "axe.min.js").read_text()


@pytest.fixture
def violations(axe_source: str) -> Callable[["Page"], list[str]]:
    """A function that returns what is wrong on an open page, one a line, in both themes and at both widths.

    That is each violation of WCAG, with the rule and the element, and a page that is wider than the window.
    """

    def find(page: "Page") -> list[str]:
        page.evaluate(axe_source)
        return [
            f"{theme}, {viewport['width']} pixels: {wrong}"
            for viewport in (PHONE, DESK)
            for theme in ("light", "dark")
            for wrong in _wrong(page, theme, viewport)
        ]

    return find


def _wrong(page: "Page", theme: Literal["light", "dark"], viewport: "ViewportSize") -> "Iterator[str]":
    page.set_viewport_size(viewport)
    page.emulate_media(color_scheme=theme)
    width = page.evaluate("document.documentElement.scrollWidth")
    if width > viewport["width"]:
        yield f"the page has {width} pixels"
    for rule in page.evaluate(_FIND):
        yield from (f"{rule['id']}: {node['html']}" for node in rule["nodes"])
