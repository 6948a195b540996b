"""busware_services.txt: the fields of a service for which GTFS has no file. Other programs ignore it.

Its columns are trip_id; on_sale_until, the date up to which the feed has all trips of the service; and
service, a document in JSON without the fields that the other files have.
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import msgspec

from busware.server.gtfs.archive import Archive, Remarks
from busware.server.gtfs.calendars import parse_weekdays
from busware.server.gtfs.feed import parse_date
from busware.server.protocol.services import Season

FILE = "busware_services.txt"
COLUMNS = ("trip_id", "on_sale_until", "service")
FARES = "fares"  # a field with the fares of the stops, for a route that has a place twice
FIELDS_OF_GTFS = {"name", "operator", "time_zone", "currency", "stops", "segment_fares"}
_CALENDAR = ("runs_on", "first_date", "last_date", "seasons", "days_off", "extra_days")


class _Checked(msgspec.Struct):
    """The fields on which an import relies. The database checks the others."""

    bus_id: int
    source_id: str | None
    runs_on: str
    first_date: date | None
    last_date: date | None
    seasons: list[Season]
    days_off: list[date]
    extra_days: list[date]
    fares: list[str] = []


@dataclass(frozen=True)
class Extension:
    """A row of the file. fields: the document."""

    line: int
    until: date
    fields: dict[str, Any]

    def document(self, gtfs_fields: dict[str, Any], start: date, dates: set[date]) -> dict[str, Any]:
        """The whole document. gtfs_fields: the fields of the other files. start: when the feed begins.

        The calendar is the one of this file, in which the dates of the feed up to `until` are exceptions: for
        later dates the feed says nothing.
        """
        calendar = {name: self.fields[name] for name in _CALENDAR}
        off, extra = set(calendar["days_off"]), set(calendar["extra_days"])
        covered = {start + timedelta(days=n) for n in range((self.until - start).days + 1)}
        for day in covered | dates:
            if (day in dates) != runs(calendar, day):
                text = day.isoformat()
                off.discard(text)
                extra.discard(text)
                (extra if day in dates else off).add(text)
        fields = self.fields | {"days_off": sorted(off), "extra_days": sorted(extra)}
        fares = fields.pop(FARES, [])
        if len(fares) == len(gtfs_fields["stops"]):
            pairs = zip(gtfs_fields["stops"], fares, strict=True)
            gtfs_fields = gtfs_fields | {"stops": [stop | {"fare": fare} for stop, fare in pairs]}
        return gtfs_fields | fields


def read_extensions(archive: Archive, remarks: Remarks) -> dict[str, Extension]:
    """The rows of the file by trip_id; none if the feed does not have the file."""
    extensions: dict[str, Extension] = {}
    for row in archive.rows(FILE, COLUMNS, remarks):
        try:
            fields = msgspec.json.decode(row["service"], type=dict[str, Any])
            _check(fields)
            extensions[row["trip_id"]] = Extension(row.line, parse_date(row["on_sale_until"]), fields)
        except (msgspec.MsgspecError, ValueError):
            remarks.fault(
                FILE, row.line, "the row is not as Busware has exported it. Remove it, or the file."
            )
    return extensions


def _check(fields: dict[str, Any]) -> None:
    """Raise MsgspecError or ValueError if the document lacks the identity or the calendar of a service."""
    checked = msgspec.convert(fields, _Checked)
    for weekdays in (checked.runs_on, *(season.runs_on for season in checked.seasons)):
        parse_weekdays(weekdays)


def runs(calendar: dict[str, Any], day: date) -> bool:
    """Whether a service runs on a day, by the fields of its document."""
    text = day.isoformat()
    if text in calendar["days_off"] or text in calendar["extra_days"]:
        return text in calendar["extra_days"]
    if text < (calendar["first_date"] or text) or text > (calendar["last_date"] or text):
        return False
    seasons = (s for s in calendar["seasons"] if s["first_date"] <= text <= s["last_date"])
    season = next(seasons, calendar)
    return day.isoweekday() in parse_weekdays(season["runs_on"])
