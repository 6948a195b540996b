"""A trip's manifest as lines of text, for the operator's console and the command `manifest`."""

from collections.abc import Iterator

from busware.server.conversation.words import (
    clock,
    counted,
    day_of,
    delay_line,
    listed,
    moment,
    words_of,
)
from busware.server.protocol import (
    BlockedSegment,
    DelayedTrip,
    ManifestPassenger,
    OperatedTrip,
    ServedStop,
    SkippedStop,
    TripManifest,
)


def trip_lines(trip: OperatedTrip) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is a heading: the trip, the numbers of its tickets, vehicle and drivers."""
    yield f"{trip.name} ({trip.bus_id}), travel date {day_of(trip.travel_date)}", True
    if trip.state == "cancelled":
        yield f"The trip is cancelled. {trip.why or ''}".strip(), False
    seats = counted(trip.seats, words_of(trip.kind).seat)
    yield f"{seats}: {trip.booked} booked, {trip.held} held, {trip.pending} waiting.", False
    if delay := delay_line(trip):
        yield delay, False
    if trip.skipped_stops:
        yield f"Skipped: {listed((stop.place for stop in trip.skipped_stops), 'and')}.", False
    if crew := crew_line(trip):
        yield crew, False


def manifest_lines(manifest: TripManifest) -> Iterator[tuple[str, bool]]:
    """Each line, and whether it is a heading: the numbers of tickets, then each stop with its passengers."""
    seat = words_of(manifest.kind).seat
    yield from trip_lines(manifest)
    for line in blocked_lines(manifest.blocked):
        yield line, False
    if not manifest.stops:
        yield "No passenger has a booked ticket.", False
    for stop in manifest.stops:
        times = (stop.arrives_at if stop.alights else None, stop.departs_at)
        shown = "–".join(dict.fromkeys(clock(at) for at in times if at))
        yield f"{shown}  {stop.place}", True
        if delay := delay_line(stop):
            yield delay, False
        for action, riders in (("boards", stop.boards), ("alights", stop.alights)):
            for rider in riders:
                ticket = f"{rider.reference}/{rider.ticket_no}"
                infant = rider.infant and f"with infant {rider.infant}"
                about = (
                    rider.name,
                    rider.concession,
                    infant,
                    rider.phone,
                    rider.email,
                    ticket,
                    rider.seat_class,
                )
                passenger = ", ".join(filter(None, (*about, *boarding_words(rider))))
                yield f"  {action:7}  {seat} {rider.seat_no}: {passenger}", False
        if stop.comes_free:
            yield f"  free from here: {', '.join(map(str, stop.comes_free))}", False


def delayed_lines(trip: DelayedTrip, *, plan: bool = False) -> Iterator[str]:
    """What a delay changes, who is informed, and the next trips that may be late. plan: not done yet."""
    yield f"{trip.place}: expected {moment(trip.expected_at)}, scheduled {moment(trip.scheduled_at)}."
    verb = "would be" if plan else "were"
    bookings, tickets = counted(trip.bookings, "booking"), counted(trip.tickets, "ticket")
    yield f"The passengers of {bookings} ({tickets}) {verb} informed."
    for following in trip.next_trips:
        who = f"Vehicle {following.vehicle}" if following.vehicle else f"Driver {following.driver}"
        yield (
            f"{who}: next trip {following.name} ({following.bus_id}), {moment(following.departs_at)}, begins "
            "before this one ends."
        )


def stop_lines(stop: ServedStop, *, plan: bool = False) -> Iterator[str]:
    """Whether a trip serves a stop, and what becomes of the bookings. plan: not done yet."""
    if stop.served and not plan:
        yield f"{stop.place} is served."
        return
    yield f"{stop.place} would be skipped." if plan else f"{stop.place} is skipped."
    if isinstance(stop, SkippedStop):
        yield f"Bookings to inform: {stop.bookings}. Tickets that move to another stop: {stop.moved}."
        yield f"Bookings without a journey: {stop.displaced}. Unpaid tickets that end: {stop.ended}."


def boarding_words(rider: ManifestPassenger) -> Iterator[str]:
    """Whether a passenger is checked in or a no-show, and the earlier names of the ticket."""
    if rider.checked_in_at is not None:
        yield f"checked in {clock(rider.checked_in_at)}"
    if rider.no_show_at is not None:
        yield "no-show"
    if rider.earlier_names:
        yield f"earlier {listed((earlier.name for earlier in rider.earlier_names), 'and')}"


def blocked_lines(blocked: list[BlockedSegment]) -> Iterator[str]:
    """Each blocked segment, with its reason."""
    for block in blocked:
        end = f"stop {block.to_stop}" if block.to_stop else "the end"
        where = "" if block.from_stop == 1 and not block.to_stop else f" from stop {block.from_stop} to {end}"
        yield f"Seat {block.seat_no} is blocked{where}{f': {block.reason}' if block.reason else '.'}"


def crew_line(trip: OperatedTrip) -> str:
    """The vehicle and the drivers of a trip; "" if none is assigned."""
    drivers = " and ".join(" ".join(filter(None, (driver.name, driver.phone))) for driver in trip.drivers)
    vehicle = f"Vehicle {trip.vehicle}." if trip.vehicle else ""
    return " ".join(
        filter(None, (vehicle, f"Driver{'s' * (len(trip.drivers) > 1)} {drivers}." if drivers else ""))
    )
