"""The places of a feed's stops: their codes, and which place contains which."""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass

from busware.server.gtfs.distances import great_circle_km
from busware.server.gtfs.feed import Feed, Stop
from busware.server.protocol import fold_name

SAME_PLACE_KM = 1.0  # stops of the same name that are not farther apart are one place in a search
_CODE = re.compile(r"[A-Z0-9-]{2,16}", re.ASCII)
_CODE_LENGTH = 16


@dataclass(frozen=True)
class Place:
    """A place for a stop of a feed. part_of: the id of the stop whose place contains it; empty for none."""

    stop: Stop
    code: str
    part_of: str


def containing_stops(feed: Feed) -> dict[str, str]:
    """stop_id → the stop that contains it: its station, or the first stop near it that has the same name.

    A name then means the containing place and all its parts, so that a traveller need not type a code.
    """
    containing = {stop.id: stop.parent for stop in feed.stops.values() if stop.parent in feed.stops}
    first: dict[str, list[Stop]] = {}
    for stop in feed.stops.values():
        if stop.id in containing:
            continue
        same = first.setdefault(fold_name(stop.name), [])
        near = (other for other in same if _is_near(stop, other))
        if other := next(near, None):
            containing[stop.id] = other.id
        else:
            same.append(stop)
    return containing


def served_stops(feed: Feed) -> list[Stop]:
    """The stops at which a trip calls, in the order of the feed."""
    served = {call.stop for trip in feed.trips.values() for call in trip.stop_times}
    return [stop for stop in feed.stops.values() if stop.id in served]


def new_places(feed: Feed, known: Mapping[str, str], taken: Iterable[str]) -> list[Place]:
    """Places for the served stops that have none yet, and for those that contain them, which come first.

    known: stop_id → code of the places that exist. taken: the codes of all places.
    """
    containing = containing_stops(feed)
    used = set(taken)
    places: dict[str, Place] = {}

    def add(stop: Stop) -> None:
        if stop.id in known or stop.id in places:
            return
        outer = containing.get(stop.id, "")
        if outer:
            add(feed.stops[outer])
        code = free_code(stop.id, used)
        used.add(code)
        places[stop.id] = Place(stop, code, outer)

    for stop in served_stops(feed):
        add(stop)
    return list(places.values())


def free_code(stop_id: str, taken: Container[str]) -> str:
    """A code for a place: the stop_id if it is a valid and free code; otherwise one derived from it."""
    if _CODE.fullmatch(stop_id) and stop_id not in taken:
        return stop_id
    stem = re.sub(r"[^A-Z0-9]+", "-", stop_id.upper()).strip("-") or "STOP"
    number = 1
    while True:
        suffix = "" if number == 1 else f"-{number}"
        code = stem[: _CODE_LENGTH - len(suffix)] + suffix
        if _CODE.fullmatch(code) and code not in taken:
            return code
        number += 1


def _is_near(a: Stop, b: Stop) -> bool:
    distance = great_circle_km(a, b)
    return distance is not None and distance <= SAME_PLACE_KM
