"""Services, and what a change of a service does, as lines of text."""

import datetime
from collections.abc import Iterator
from typing import Any

import msgspec

from busware.server.conversation.words import counted
from busware.server.protocol import Change, ChangedService, ServiceData, Stop

_MAX_DATES = 5  # dates that are listed; a longer list is shown as its first and last date
_IN_SENTENCES = {  # the fields that have a line of their own
    "bus_id", "name", "operator", "kind", "bus_type", "ac", "layout", "currency", "time_zone", "stops",
    "runs_on", "first_date", "last_date", "seasons", "days_off", "extra_days", "sales_days", "sells_until",
    "max_seats",
    "queue_limit", "phone_required", "refund_percent", "alight_refund_percent",
}  # fmt: skip


def service_lines(service: ServiceData) -> Iterator[str]:
    """A service with all its fields, and its stops one a line."""
    yield f"{service.name} ({service.bus_id}), {service.operator}"
    air = {True: "AC", False: "non-AC"}.get(service.ac is True) if isinstance(service.ac, bool) else None
    traits = [service.kind, service.bus_type, air, service.currency, service.time_zone]
    yield "Kind: " + ", ".join(str(trait) for trait in traits if trait)
    yield from _calendar_lines(service)
    yield f"Sales: {service.sales_days} days ahead, until {service.sells_until} after the departure"
    phone = "required" if service.phone_required else "not required"
    yield f"Booking: up to {service.max_seats} seats, phone number {phone}"
    yield f"Waitlist: up to {service.queue_limit} parties"
    alighting = f"{service.alight_refund_percent} % of the rest on alighting early"
    yield f"Refund: {service.refund_percent} %, and {alighting}"
    for name, value in msgspec.to_builtins(service).items():
        if name not in _IN_SENTENCES and value not in (None, []):
            yield f"{name}: {_value(value)}"
    yield from _layout_lines(str(service.layout))
    yield from _stop_lines(service.stops or [])


def change_lines(changed: ChangedService, *, plan: bool = False) -> Iterator[str]:
    """What a change does, or, as a plan, would do."""
    if changed.ended:
        yield from change_lines(changed.ended, plan=plan)
    subject = f"Service {changed.bus_id}"
    if changed.created:
        yield f"{subject} {'would be' if plan else 'is'} new."
    elif changed.changes:
        yield f"{subject} {'would change' if plan else 'has changed'}:"
        yield from map(_change_line, changed.changes)
    else:
        yield f"{subject}: nothing differs."
    for dates, verb in ((changed.opened, "on sale"), (changed.removed, "no longer on sale")):
        if dates:
            yield f"{counted(len(dates), 'trip')} {verb}: {_dates(dates)}."


def _calendar_lines(service: ServiceData) -> Iterator[str]:
    ends = [
        f"{word} {date}" for word, date in (("from", service.first_date), ("to", service.last_date)) if date
    ]
    yield " ".join([f"Runs: {service.runs_on}", *ends])
    for season in service.seasons or []:
        yield f"Season: {season.runs_on} from {season.first_date} to {season.last_date}"
    for title, dates in (("Days off", service.days_off), ("Extra days", service.extra_days)):
        if dates:
            yield f"{title}: {', '.join(map(str, dates))}"


def _layout_lines(layout: str) -> Iterator[str]:
    rows = layout.splitlines()
    yield "Layout: " + (layout if len(rows) == 1 else "")
    yield from (f"  {row}" for row in rows if len(rows) > 1)


def _stop_lines(stops: list[Stop]) -> Iterator[str]:
    width = max([len("Stop"), *(len(stop.place) for stop in stops)])
    yield f"{'No':>3}  {'Stop':{width}}  {'Arrives':>8}  {'Departs':>8}  {'km':>6}  {'Fare':>9}"
    for n, stop in enumerate(stops, 1):
        times = f"{stop.arrives or '-':>8}  {stop.departs or '-':>8}"
        yield f"{n:>3}  {stop.place:{width}}  {times}  {stop.km:>6}  {stop.fare:>9}"


def _change_line(change: Change) -> str:
    before, after = _value(change.before), _value(change.after)
    if len(change.field) + len(before) + len(after) < 70:
        return f"  {change.field}: {before} → {after}"
    return f"  {change.field}:\n    from {before}\n    to   {after}"


def _value(value: Any) -> str:
    """A value of a field: a text as it is, a list by its elements, an object by its fields."""
    match value:
        case None | []:
            return "none"
        case list():
            return (
                "; ".join(map(_value, value)) if isinstance(value[0], dict) else ", ".join(map(_value, value))
            )
        case dict():
            return " ".join(f"{name} {_value(part)}" for name, part in value.items() if part is not None)
        case bool():
            return "yes" if value else "no"
    return " / ".join(str(value).splitlines())


def _dates(dates: list[datetime.date]) -> str:
    if len(dates) <= _MAX_DATES:
        return ", ".join(map(str, dates))
    return f"{dates[0]} to {dates[-1]}"
