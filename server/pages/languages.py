"""The choice of the language, which a cookie keeps."""

from starlette.responses import Response

from busware.server.languages import CODES
from busware.server.pages.visits import Page, Table, Visit, is_local


def choose(visit: Visit) -> Response:
    """Keep the language, and return to the page."""
    code, back = visit.path["code"], visit.value("to", "/")
    if code in CODES:
        visit.cookies.set("language", code)
    return visit.see(back if is_local(back) else "/")


PAGES: Table = {"/language/{code}": Page(choose)}
