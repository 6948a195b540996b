"""The kilometres of a trip's stops: from shape_dist_traveled, whose unit is guessed, or great circles."""

import math
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import pairwise
from statistics import median

from busware.server.gtfs.feed import Feed, Stop, StopTime

EARTH_RADIUS_KM = 6371.0
_UNITS = (1.0, 0.001, 1.609344, 0.0003048)  # kilometres, metres, miles, feet; in kilometres
_ROAD = 1.2  # a usual ratio of the length of a road and the great circles between its stops


def great_circle_km(a: Stop, b: Stop) -> float | None:
    """The distance of two stops on the surface of the earth; None if one of them has no coordinates."""
    if a.latitude is None or a.longitude is None or b.latitude is None or b.longitude is None:
        return None
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (a.latitude, a.longitude, b.latitude, b.longitude))
    h = math.sin((lat_b - lat_a) / 2) ** 2
    h += math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(h))


class Distances:
    """The distances of the trips of a feed, in kilometres from the first stop. They never decrease."""

    def __init__(self, feed: Feed) -> None:
        self._stops: Mapping[str, Stop] = feed.stops
        self._straight = cache(lambda a, b: great_circle_km(self._stops[a], self._stops[b]) or 0.0)
        self._unit = self._find_unit(feed)

    def of(self, calls: Sequence[StopTime]) -> list[float]:
        """The kilometres of the stops of a trip; 0 if the feed has neither distances nor coordinates."""
        km = [0.0]
        start = calls[0].distance
        for a, b in pairwise(calls):
            if start is not None and b.distance is not None and self._is_measured(calls):
                km.append(max(km[-1], (b.distance - start) * self._unit))
            else:
                km.append(km[-1] + self._straight(a.stop, b.stop))
        return km

    def _find_unit(self, feed: Feed) -> float:
        """The unit that gives usual lengths of roads; kilometres if the stops have no coordinates."""
        ratios = []
        for trip in feed.trips.values():
            calls = trip.stop_times
            if len(calls) >= 2 and self._is_measured(calls):
                straight = sum(self._straight(a.stop, b.stop) for a, b in pairwise(calls))
                travelled = (calls[-1].distance or 0) - (calls[0].distance or 0)
                if straight > 0 and travelled > 0:
                    ratios.append(travelled / straight)
        if not ratios:
            return _UNITS[0]
        usual = median(ratios)
        return min(_UNITS, key=lambda unit: abs(math.log(usual * unit / _ROAD)))

    @staticmethod
    def _is_measured(calls: Sequence[StopTime]) -> bool:
        return all(call.distance is not None for call in calls)
