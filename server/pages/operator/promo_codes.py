"""The promo codes of an operator: a list with their uses, and a form that creates or replaces one."""

import re

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import frame
from busware.server.pages.operator.services import PATH as SERVICES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import PromoCodeList

PATH = "/operator/promo-codes"
_USES = ("max_uses", "max_uses_per_account")
_TEXTS = (
    "code",
    "percent",
    "amount",
    "currency",
    "first_date",
    "last_date",
    "max_uses",
    "max_uses_per_account",
)


def show_promo_codes(visit: Visit) -> Response:
    """The promo codes, and the form of one."""
    listed: PromoCodeList = visit.request(
        protocol.PromoCodes, operator=frame.operator_named(visit), after=visit.query.get("after", [""])[0]
    )
    known = {one.code: one for one in listed.promo_codes}
    return frame.render(
        visit,
        "operator_promo_codes.html",
        SERVICES,
        codes=listed.promo_codes,
        next=listed.next,
        edited=known.get(visit.query.get("edit", [""])[0]),
        done=visit.query.get("done", [""])[0],
    )


def put_promo_code(visit: Visit) -> Response:
    """Create a promo code, or replace what it gives."""
    texts = {name: visit.value(name) for name in _TEXTS}
    numbers = [part for part in re.split(r"[,\s]+", visit.value("services")) if part]
    services = [int(part) if re.fullmatch(r"[0-9]{1,18}", part) else part for part in numbers]
    visit.request(protocol.PutPromoCode, operator=frame.operator_named(visit), **texts, services=services)
    return visit.see(frame.link(visit, PATH, done="put"))


PAGES: Table = {PATH: frame.owned_page(show_promo_codes, put_promo_code)}
