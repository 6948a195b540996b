"""The geometry of the charts in SVG, in pixels. Templates draw them, the stylesheet has their colours."""

from collections.abc import Sequence
from dataclasses import dataclass

from busware.server.protocol import Leg

_STRIP_WIDTH = 240  # of a strip at most
_STRIP_HEIGHT = 28
_LEG_WIDTH = 28  # of a leg at most
_GAP = 2  # between two legs
_WITHOUT_GAP = 4  # a leg that is narrower has no gap


@dataclass(frozen=True)
class Bar:
    """The bar of a leg: the booked seats at the bottom, the held seats above them."""

    leg: Leg
    x: float
    width: float
    booked_y: float
    booked_height: float
    held_y: float
    held_height: float


@dataclass(frozen=True)
class LoadStrip:
    """The load of a trip by leg, as bars beside each other."""

    width: float
    height: float
    bars: list[Bar]


def load_strip(legs: Sequence[Leg], seats: int) -> LoadStrip:
    """The load by leg. seats: their number in the vehicle."""
    step = min(_LEG_WIDTH, _STRIP_WIDTH / len(legs))
    gap = _GAP if step >= _WITHOUT_GAP else 0
    per_seat = _STRIP_HEIGHT / max(seats, 1)
    bars = []
    for n, leg in enumerate(legs):
        booked, held = leg.booked * per_seat, leg.held * per_seat
        bars.append(
            Bar(
                leg=leg,
                x=round(n * step, 2),
                width=round(step - gap, 2),
                booked_y=round(_STRIP_HEIGHT - booked, 2),
                booked_height=round(booked, 2),
                held_y=round(_STRIP_HEIGHT - booked - held, 2),
                held_height=round(held, 2),
            )
        )
    return LoadStrip(round(len(legs) * step - gap, 2), _STRIP_HEIGHT, bars)
