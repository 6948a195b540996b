"""The accounts of money of an operator by day, as a table and as CSV."""

from datetime import date, timedelta

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages.operator import frame
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import AccountReport, Refusal

PATH = "/operator/accounts"
_DAYS = 30  # that are shown at first, with the last one


def _period(visit: Visit) -> dict[str, str]:
    """The period that is asked for: by default the last days."""
    last = visit.day("to") or frame.today(visit)
    first = visit.day("from") or last - timedelta(days=_DAYS - 1)
    return {"from": first.isoformat(), "to": last.isoformat()}


def _report(visit: Visit, period: dict[str, str]) -> AccountReport:
    operator = frame.operator_named(visit)
    report: AccountReport = visit.request(protocol.AccountsOfMoney, **period, operator=operator)
    return report


def show_accounts(visit: Visit) -> Response:
    """The money of a period, by day and currency."""
    period, report = _period(visit), None
    try:
        report = _report(visit, period)
    except Refusal as refusal:
        if refusal.reason != "bad_request":
            raise
        visit.refusal = refusal
    return frame.render(
        visit,
        "operator_accounts.html",
        SALES,
        from_date=date.fromisoformat(period["from"]),
        to_date=date.fromisoformat(period["to"]),
        report=report,
        csv=frame.link(visit, f"{PATH}.csv", **period),
    )


def send_csv(visit: Visit) -> Response:
    """The same as CSV."""
    period, csv = _period(visit), FORMATS[protocol.AccountsOfMoney]["csv"]
    name = f"accounts-{period['from']}-{period['to']}.csv"
    return visit.send_file(csv.encode(_report(visit, period)), csv.mime_type, name)


PAGES: Table = {PATH: frame.owned_page(show_accounts), f"{PATH}.csv": frame.owned_page(send_csv)}
