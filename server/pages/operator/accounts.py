"""The accounts of money of an operator by day, as a table and as CSV."""

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages.operator import frame, reports
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit

PATH = "/operator/accounts"


def show_accounts(visit: Visit) -> Response:
    """The money of a period, by day and currency."""
    period, operator = reports.period_of(visit), frame.operator_named(visit)
    return frame.render(
        visit,
        "operator_accounts.html",
        SALES,
        from_date=period.first,
        to_date=period.last,
        report=reports.read_report(visit, protocol.AccountsOfMoney, **period.fields, operator=operator),
        csv=frame.link(visit, f"{PATH}.csv", **period.fields),
    )


def send_accounts(visit: Visit) -> Response:
    """The same as CSV."""
    period, operator = reports.period_of(visit), frame.operator_named(visit)
    name = f"accounts-{period.first}-{period.last}.csv"
    return reports.send_csv(visit, protocol.AccountsOfMoney, name, **period.fields, operator=operator)


PAGES: Table = {PATH: frame.owned_page(show_accounts), f"{PATH}.csv": frame.owned_page(send_accounts)}
