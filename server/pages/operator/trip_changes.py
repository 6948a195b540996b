"""Changes of a trip: a notice, a delay, skipped stops, its cancellation, blocked seats.

A change that moves or refunds passengers is planned first: the form shows what would happen, and a second
form with the same values does it.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from starlette.responses import Response

from busware.server import protocol
from busware.server.pages import kinds, seat_map
from busware.server.pages.operator import frame
from busware.server.pages.operator.payments import REFUNDS
from busware.server.pages.operator.trip import PATH
from busware.server.pages.seat_map import Choice
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import (
    BlockedSegment,
    CancelledTrip,
    DelayedTrip,
    Refusal,
    Seats,
    SentNotice,
    SkippedStop,
    TripLoad,
    TripOccupancy,
)


class TripStop(NamedTuple):
    """A stop of a trip."""

    stop_no: int
    place: str


class DelayedStop(NamedTuple):
    """A stop with its time after a delay: when the trip leaves it; of the last stop, when it arrives."""

    place: str
    expected_at: datetime
    scheduled_at: datetime


def stops_of(trip: TripLoad) -> list[TripStop]:
    """The stops of a trip, in the order of the route."""
    last = trip.legs[-1]
    return [
        *(TripStop(leg.from_stop, leg.origin) for leg in trip.legs),
        TripStop(last.to_stop, last.destination),
    ]


def delayed_stops(trip: TripLoad, plan: DelayedTrip) -> list[DelayedStop]:
    """The stops whose times a planned delay sets, in the order of the route."""
    last = trip.legs[-1]
    times = [
        *((leg.from_stop, leg.origin, leg.scheduled_departs_at or leg.departs_at) for leg in trip.legs),
        (last.to_stop, last.destination, last.scheduled_arrives_at or last.arrives_at),
    ]
    delay = timedelta(minutes=plan.minutes)
    return [DelayedStop(place, at + delay, at) for stop_no, place, at in times if stop_no >= plan.stop_no]


def trip_of(visit: Visit) -> TripLoad:
    """The trip in the path. Raises Refusal."""
    trip: TripLoad = visit.request(protocol.Load, **visit.path)
    return trip


def render(visit: Visit, change: str, trip: TripLoad, **values: Any) -> Response:
    """The page of a change of a trip."""
    what = visit.query.get("done", [""])[0]
    return frame.render(
        visit, f"operator_{change}.html", trip=trip, stops=stops_of(trip), done=what, **values
    )


def done(visit: Visit, change: str, what: str, **query: Any) -> Response:
    """Return to the page of a change, which says what was done."""
    return visit.see(f"{PATH.format(**visit.path)}/{change}", {"done": what, **query})


# Notice ----------------------------------------------------------------------------------------


def show_notice(visit: Visit) -> Response:
    """The form of a notice to all passengers."""
    return render(visit, "notice", trip_of(visit))


def send_notice(visit: Visit) -> Response:
    """Send all passengers of a trip a notice."""
    text = " ".join(visit.value("text").split())
    sent: SentNotice = visit.request(protocol.Notice, **visit.path, text=text, key=visit.key())
    return done(visit, "notice", "sent", bookings=sent.bookings, tickets=sent.tickets)


# Delay -----------------------------------------------------------------------------------------


def show_delay(visit: Visit, plan: DelayedTrip | None = None) -> Response:
    """The form of a delay; with a plan, what it would do."""
    trip = trip_of(visit)
    return render(visit, "delay", trip, plan=plan, delayed=delayed_stops(trip, plan) if plan else [])


def delay(visit: Visit) -> Response:
    """Plan a delay, or apply it."""
    fields = {name: visit.value(name) for name in ("minutes", "at", "reason")}
    if visit.value("do") != "apply":
        return show_delay(visit, visit.request(protocol.DelayTrip, **visit.path, **fields, plan=True))
    visit.request(protocol.DelayTrip, **visit.path, **fields, key=visit.key())
    return done(visit, "delay", "delayed")


# Skipped stops ---------------------------------------------------------------------------------


def show_stops(visit: Visit, plan: SkippedStop | None = None) -> Response:
    """The stops that a trip skips, and the form that skips another one."""
    return render(visit, "stops", trip_of(visit), plan=plan)


def change_stop(visit: Visit) -> Response:
    """Plan to skip a stop, skip it, or serve it again."""
    at, reason, do = visit.value("at"), visit.value("reason"), visit.value("do")
    if do == "serve":
        visit.request(protocol.ServeStop, **visit.path, at=at, key=visit.key(f"serve {at}"))
        return done(visit, "stops", "served")
    if do != "apply":
        plan = visit.request(protocol.SkipStop, **visit.path, at=at, reason=reason, plan=True)
        return show_stops(visit, plan)
    visit.request(protocol.SkipStop, **visit.path, at=at, reason=reason, key=visit.key())
    return done(visit, "stops", "skipped")


# Cancellation ----------------------------------------------------------------------------------


def show_cancellation(visit: Visit, plan: CancelledTrip | None = None, *, is_new: bool = False) -> Response:
    """The form that cancels a trip, or opens it again. is_new: the plan differs from the one shown before."""
    trip = trip_of(visit)
    return render(visit, "cancellation", trip, plan=plan, is_new=is_new, refunds=REFUNDS)


def cancel(visit: Visit) -> Response:
    """Plan a cancellation, carry it out as it was planned, or open the trip again."""
    if visit.value("do") == "open":
        visit.request(protocol.OpenTrip, **visit.path)
        return done(visit, "cancellation", "opened")
    reason = visit.value("reason")
    try:
        plan: CancelledTrip = visit.request(protocol.CancelTrip, **visit.path, reason=reason, plan=True)
    except Refusal as refusal:
        if refusal.reason != "already_cancelled" or visit.value("do") != "apply":
            raise
        return _cancelled(visit)  # the form was sent twice
    is_shown = (visit.value("tickets"), visit.value("refund")) == (str(plan.tickets), plan.refund)
    if visit.value("do") != "apply" or not is_shown:
        return show_cancellation(visit, plan, is_new=visit.value("do") == "apply")
    visit.request(protocol.CancelTrip, **visit.path, reason=reason, key=visit.key())
    return _cancelled(visit)


def _cancelled(visit: Visit) -> Response:
    """Return to the page of the cancellation, which says how many tickets were cancelled."""
    return done(visit, "cancellation", "cancelled", tickets=visit.value("tickets"))


# Blocked seats ---------------------------------------------------------------------------------


def show_blocks(visit: Visit) -> Response:
    """The blocked seats, and a seat map on which seats of a segment are blocked."""
    trip: TripOccupancy = visit.request(protocol.Occupancy, **visit.path)
    stops = stops_of(trip)
    first = visit.whole_number("from_stop", stops[0].stop_no)
    last = visit.whole_number("to_stop", stops[-1].stop_no)
    shown, kind = None, kinds.kind_of(trip.kind)
    try:
        seats: Seats = visit.request(protocol.SeatMap, **visit.path, from_stop=first, to_stop=last)
        choice = Choice(chosen=visit.whole_numbers("seat"), for_operator=True)
        shown = seat_map.view(seats, kind, visit.language, choice)
    except Refusal as refusal:  # such as a stop that the trip has left
        visit.refusal = visit.refusal or refusal
    places = dict(stops)
    return render(
        visit,
        "blocks",
        trip,
        seat_map=shown,
        kind=kind,
        instead="",
        segment=(first, last),
        blocked=[(block, _segment_of(block, places, stops[-1])) for block in trip.blocked],
    )


def _segment_of(block: BlockedSegment, places: dict[int, str], last: TripStop) -> tuple[str, str]:
    to_stop = block.to_stop or last.stop_no
    return places.get(block.from_stop, ""), places.get(to_stop, last.place)


def change_blocks(visit: Visit) -> Response:
    """Block seats on a segment, or put them on sale again."""
    unblocks = visit.value("do") == "unblock"
    segment = {name: visit.value(name) for name in ("from_stop", "to_stop")}
    seats = visit.whole_numbers("seat")
    key = visit.key(f"unblock {seats} {segment}" if unblocks else "")
    what: dict[str, Any] = {"seats": seats, "key": key} | segment
    if unblocks:
        visit.request(protocol.UnblockSeats, **visit.path, **what)
    else:
        visit.request(protocol.BlockSeats, **visit.path, **what, reason=visit.value("reason"))
    return done(visit, "blocks", "unblocked" if unblocks else "blocked")


PAGES: Table = {
    f"{PATH}/notice": frame.operator_page(show_notice, send_notice),
    f"{PATH}/delay": frame.operator_page(show_delay, delay),
    f"{PATH}/stops": frame.operator_page(show_stops, change_stop),
    f"{PATH}/cancellation": frame.operator_page(show_cancellation, cancel),
    f"{PATH}/blocks": frame.operator_page(show_blocks, change_blocks),
}
