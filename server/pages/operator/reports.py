"""The report of a period: read for a page, and sent as CSV."""

from datetime import date, timedelta
from typing import Any, NamedTuple

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents.formats import FORMATS
from busware.server.pages.operator import frame
from busware.server.pages.visits import Visit
from busware.server.protocol import Refusal

_DAYS = 30  # the length of the period that is shown at first


class Period(NamedTuple):
    """The dates from the first to the last one."""

    first: date
    last: date

    @property
    def fields(self) -> dict[str, str]:
        """The period as fields of a request or a query."""
        return {"from": self.first.isoformat(), "to": self.last.isoformat()}


def period_of(visit: Visit) -> Period:
    """The period in the query; by default the last days, with today."""
    last = visit.day("to") or frame.today(visit)
    return Period(visit.day("from") or last - timedelta(days=_DAYS - 1), last)


def read_report(visit: Visit, method: type[protocol.Request], **fields: Any) -> Any:
    """The reply to the request for a report. None: a field is invalid, and the page shows the refusal."""
    try:
        return visit.request(method, **fields)
    except Refusal as refusal:
        if refusal.reason != "bad_request":
            raise
        visit.refusal = refusal
        return None


def send_csv(visit: Visit, method: type[protocol.Request], name: str, **fields: Any) -> Response:
    """The reply to a request as a file of CSV with this name."""
    csv = FORMATS[method]["csv"]
    return visit.send_file(csv.encode(visit.request(method, **fields)), csv.mime_type, name)
