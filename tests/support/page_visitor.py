"""A visitor of the pages without JavaScript: reads pages, fills forms in and sends them, keeps cookies."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest
import requests

from tests.support.http_client import HttpClient
from tests.support.line_client import WAIT_SECONDS

SEARCH = "/trips?kind=bus&origin=Bengaluru&destination=Mysuru&date=2026-12-05&seats=1"
PHONE = "98450 12345"


class Form(NamedTuple):
    """A form of a page: where it is sent, and the fields that a browser would send."""

    action: str
    method: str
    fields: list[tuple[str, str]]

    def names(self) -> set[str]:
        """The names of its fields."""
        return {name for name, _ in self.fields}

    def value(self, name: str) -> str:
        """The value of a field."""
        return next(value for key, value in self.fields if key == name)

    def value_or(self, name: str, other: str) -> str:
        """The value of a field; the other one if there is no such field."""
        return next((value for key, value in self.fields if key == name), other)


class _Reader(HTMLParser):
    """Finds forms, links and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: dict[str, str] = {}
        self.text: list[str] = []
        self._form: Form | None = None
        self._select: str | None = None
        self._options: list[tuple[str | None, str]] = []  # value and whether it is selected
        self._textarea: str | None = None
        self._link: str | None = None
        self._link_text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        name, value = found.get("name"), found.get("value") or ""
        if tag == "form":
            self._form = Form(found.get("action") or "", found.get("method") or "get", [])
            self.forms.append(self._form)
        elif tag == "a":
            self._link, self._link_text = found.get("href"), []
        elif self._form is not None and name and "disabled" not in found:
            chosen = found.get("type") not in ("checkbox", "radio") or "checked" in found
            if tag == "input" and found.get("type") != "submit" and chosen:
                self._form.fields.append((name, value))
            elif tag == "select":
                self._select, self._options = name, []
            elif tag == "textarea":
                self._textarea = name
                self._form.fields.append((name, ""))
        if tag == "option" and self._select:
            self._options.append((found.get("value"), "selected" if "selected" in found else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "a" and self._link:
            self.links.setdefault(" ".join("".join(self._link_text).split()), self._link)
            self._link = None
        elif tag == "select" and self._select and self._form is not None:
            chosen = [value for value, selected in self._options if selected] or [
                value for value, _ in self._options[:1]
            ]
            self._form.fields.extend((self._select, value or "") for value in chosen)
            self._select = None
        elif tag == "textarea":
            self._textarea = None

    def handle_data(self, data: str) -> None:
        self.text.append(data)
        if self._link:
            self._link_text.append(data)
        if self._select and self._options and self._options[-1][0] is None and data.strip():
            self._options[-1] = (data.strip(), self._options[-1][1])
        if self._textarea and self._form is not None:
            name, value = self._form.fields[-1]
            self._form.fields[-1] = (name, value + (data if value else data.removeprefix("\n")))


class Page:
    """A page that was received. text: what a person reads."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.status = response.status_code
        self.html = response.text
        reader = _Reader()
        reader.feed(self.html)
        self.forms = reader.forms
        self.links = reader.links
        self.text = re.sub(r"\s+", " ", " ".join(reader.text))

    @property
    def path(self) -> str:
        """The path of the page, with its query."""
        return str(self.response.request.path_url)

    def form(self, action: str) -> Form:
        """The form whose action ends so."""
        return next(form for form in self.forms if form.action.partition("?")[0].endswith(action))

    @property
    def reference(self) -> str:
        """The reference in the path of the page."""
        return self.path.partition("?")[0].split("/")[2]

    def link(self, text: str) -> str:
        """The address of the first link whose text contains this."""
        return next(address for label, address in self.links.items() if text in label)


class Visitor:
    """A browser without JavaScript. session: its cookies and headers."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.session = requests.Session()
        self.session.headers.update({"Accept": "text/html,*/*;q=0.8", "Accept-Language": "en"})

    def get(self, path: str, **options: Any) -> Page:
        """Open a page, and follow redirects."""
        return Page(self.session.get(self.url + path, timeout=WAIT_SECONDS, **options))

    def send(self, form: Form, *, add: list[tuple[str, str]] | None = None, **values: Any) -> Page:
        """Fill a form in and send it. values: of its fields, a list for several; None removes a field."""
        replaced = {name: value if isinstance(value, list) else [value] for name, value in values.items()}
        fields = [(name, value) for name, value in form.fields if name not in replaced]
        fields += [(name, str(one)) for name, many in replaced.items() for one in many if one is not None]
        fields += add or []
        if form.method.lower() == "get":
            return self.get(f"{form.action}?{urlencode(fields)}")
        headers = {"Origin": self.url, "Content-Type": "application/x-www-form-urlencoded"}
        sent = self.session.post(
            self.url + form.action, urlencode(fields), headers=headers, timeout=WAIT_SECONDS
        )
        return Page(sent)

    def choose(self, *seats: int, search: str = SEARCH, trip: str = "Day Bus") -> Page:
        """Open the form for the passengers of some seats of a trip; of any seats, if none is given."""
        found = self.get(self.get(search).link(trip))
        if seats:
            return self.send(found.form("/passengers"), add=[("seat", str(seat)) for seat in seats])
        return self.send(next(form for form in found.forms if "seats" in form.names()))

    def hold(self, *seats: int, phone: str = PHONE, **values: Any) -> Page:
        """Hold some seats of the bus by day."""
        return self.send(self.choose(*seats).form("/passengers"), phone=phone, **values)

    def book(self, *seats: int, **values: Any) -> Page:
        """Book some seats of the bus by day."""
        return self.send(self.hold(*seats, **values).form("/confirm"))


@pytest.fixture
def visitor(http: HttpClient) -> Iterator[Visitor]:
    one = Visitor(http.url)
    yield one
    one.session.close()


@pytest.fixture
def other_visitor(http: HttpClient) -> Iterator[Visitor]:
    """A visitor with another browser."""
    other = Visitor(http.url)
    yield other
    other.session.close()
