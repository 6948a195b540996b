"""What the pages for operators share: who may open them, and their navigation."""

from collections.abc import Iterator
from datetime import date
from functools import partial
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response

from busware.server import protocol
from busware.server.booking.permissions import OPERATORS
from busware.server.http import problems
from busware.server.pages.forms import TOKEN
from busware.server.pages.kinds import N_
from busware.server.pages.visits import Page, View, Visit, address
from busware.server.protocol import OperatedTrips, Refusal

SECTIONS = {  # path → title, in the order of the navigation
    "/operator": N_("Trips"),
    "/operator/check-in": N_("Check-in"),
    "/operator/services": N_("Services"),
    "/operator/vehicles": N_("Fleet"),
    "/operator/sales": N_("Money"),
    "/operator/staff": N_("Staff"),
    "/operator/webhooks": N_("Webhooks"),
}
TRIP_PAGES = {  # the end of the path → title, for the pages of a trip
    "": N_("Seats"),
    "/manifest": N_("Passengers"),
    "/notice": N_("Notice"),
    "/delay": N_("Delay"),
    "/stops": N_("Skip a stop"),
    "/blocks": N_("Blocked seats"),
    "/assignment": N_("Vehicle and drivers"),
    "/exchange": N_("Exchange the vehicle"),
    "/cancellation": N_("Cancellation"),
}
PAGES_OF_CANCELLED_TRIP = ("", "/manifest", "/cancellation")
_SECRET_FIELDS = ("password",)  # never written into a page


def operator_page(show: View, submit: View | None = None) -> Page:
    """A page for operators. A guest signs in first; an account that runs no services is refused."""
    return Page(partial(_show, show), partial(_submit, submit) if submit else None)


def owned_page(show: View, submit: View | None = None) -> Page:
    """A page about what belongs to an operator and to no service. An admin names the operator first."""
    return operator_page(partial(_with_operator, show), partial(_with_operator, submit) if submit else None)


def operator_named(visit: Visit) -> str:
    """The operator in the query, which an admin has named; empty for accounts of an operator."""
    return visit.query.get("operator", [""])[0]


def render(
    visit: Visit, template: str, section: str = "/operator", /, status: int = HTTPStatus.OK, **values: Any
) -> Response:
    """A page for operators. section: the path of its entry in the navigation."""
    return visit.render(
        template,
        status,
        sections=SECTIONS,
        trip_pages=TRIP_PAGES,
        pages_of_cancelled_trip=PAGES_OF_CANCELLED_TRIP,
        section=section,
        link=partial(link, visit),
        status=status,
        **{"works_for": partial(_works_for, visit), **values},
    )


def render_error(visit: Visit, status: int, **values: Any) -> Response:
    """The page about an error on a page for operators. It reads nothing, so it shows no operator."""
    return render(
        visit,
        "operator_error.html",
        "",
        status=status,
        works_for=lambda: "",
        is_operator=lambda: True,
        **values,
    )


def _works_for(visit: Visit) -> str:
    """The operator that the page is about; empty if an admin has named none."""
    return visit.caller.operator or operator_named(visit)


def link(visit: Visit, path: str, **query: Any) -> str:
    """The address of a page for operators, with the operator whom an admin has named."""
    return address(path, {"operator": operator_named(visit)} | query)


def pages_of(visit: Visit, method: type[protocol.Request], **fields: Any) -> Iterator[Any]:
    """The pages of a list, one after the other. method: of a request with `after`."""
    after: str | None = ""
    while after is not None:
        page = visit.request(method, **fields, after=after)
        yield page
        after = page.next


def operators(visit: Visit) -> list[str]:
    """The operators of the services that the caller may see."""
    pages = pages_of(visit, protocol.Services)
    return sorted({service.operator for page in pages for service in page.services})


def today(visit: Visit) -> date:
    """The date of today in the time zone of most services of the caller."""
    listed: OperatedTrips = visit.request(protocol.OperatorTrips, limit=1)
    return listed.date or visit.now.date()


def exactly(value: Any) -> msgspec.Raw:
    """A value of a request that is sent even if it is empty; Visit.request leaves out other empty values."""
    return msgspec.Raw(msgspec.json.encode(value))


def _show(view: View, visit: Visit) -> Response:
    role = visit.caller.role
    if role in OPERATORS:
        return _without_phone(view, visit)
    if role != "guest":
        return visit.render("operator_only.html", HTTPStatus.FORBIDDEN)
    if visit.is_sent:
        kept = {name: values for name, values in visit.form.items() if name not in (TOKEN, *_SECRET_FIELDS)}
        return visit.render("operator_again.html", kept=kept)
    return visit.see("/sign-in", {"to": visit.address})


def _without_phone(view: View, visit: Visit) -> Response:
    """The answer of a view. An operator opens bookings without a phone number, so no refusal names one."""
    try:
        return view(visit)
    except Refusal as refusal:
        if refusal.reason != "unknown_booking" or refusal.data:
            raise
        message = "You have no booking with this reference."
        raise Refusal(refusal.reason, message, without_phone=True) from None


def _with_operator(view: View, visit: Visit) -> Response:
    if visit.caller.role != "admin":
        return view(visit)
    if not operator_named(visit):
        return _render_choice(visit)
    try:
        return view(visit)
    except Refusal as refusal:
        if visit.is_sent or refusal.data.get("field") != "operator":
            raise
        visit.refusal = refusal
        return _render_choice(visit)


def _render_choice(visit: Visit) -> Response:
    """The page on which an admin chooses one of the operators of services."""
    status = problems.of_refusal(visit.refusal).status if visit.refusal else HTTPStatus.OK
    return render(visit, "operator_choice.html", visit.here, status=status, operators=operators(visit))


def _submit(view: View, visit: Visit) -> Response:
    role = visit.caller.role
    if role in OPERATORS:
        return _without_phone(view, visit)
    if role == "guest":
        raise Refusal("session_ended", "Your session has ended. Nothing was done.")
    raise Refusal("not_allowed", "This page is for operators.")
