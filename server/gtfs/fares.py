"""The fares of a feed: fare_attributes.txt and fare_rules.txt, or Fares v2, or a fare per kilometre.

The price of a segment is the lowest that the feed has for it. A service of Busware has a fare from its first
stop to each stop. The fare of a segment is the difference of the fares of its two stops, unless the service
has another fare for this segment.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import NamedTuple, Protocol

from busware.server.gtfs.archive import Archive, Remarks, Row
from busware.server.gtfs.feed import Feed, Route
from busware.server.protocol.currencies import round_amount

Segment = tuple[int, int]  # the indexes of two stops


class Price(NamedTuple):
    """An amount of money. Prices of one currency are compared by amount."""

    amount: Decimal
    currency: str


class Tariff(Protocol):
    """Finds the prices of a segment."""

    def prices(self, route: Route, stops: Sequence[str], segment: Segment) -> Iterator[Price]:
        """The possible prices from one stop of a route to another."""
        ...


@dataclass(frozen=True)
class FareTable:
    """The fares of a service.

    stop_fares: from the first stop to each stop. segment_fares: of the segments whose fare is not the
    difference of two stop_fares.
    """

    currency: str
    stop_fares: list[Decimal]
    segment_fares: dict[Segment, Decimal]


class FareError(Exception):
    """The fares of a trip do not fit a service. The message says why, and what would be right."""


def read_tariff(archive: Archive, feed: Feed, remarks: Remarks) -> Tariff | None:
    """The fares of a feed: those of Fares v2, if it has both versions. None if the feed has no fares."""
    if "fare_leg_rules.txt" in archive:
        return LegRules(archive, feed, remarks)
    if "fare_attributes.txt" in archive:
        return FareRules(archive, feed, remarks)
    return None


def table_of(prices: Mapping[Segment, Price], sold: Sequence[Segment], stops: int) -> FareTable:
    """The fares of a service from the prices of its segments. sold: the segments on which passengers travel.

    Raises FareError if a segment on which passengers travel has no price, or another currency.
    """
    for start, end in sold:
        if (start, end) not in prices:
            raise FareError(f"there is no fare from stop {start + 1} to stop {end + 1}")
    currencies = sorted({prices[segment].currency for segment in sold})
    if len(currencies) > 1:
        raise FareError(f"its fares are in {' and '.join(currencies)}; a service has one currency")
    amounts = {segment: price.amount for segment, price in prices.items() if price.currency in currencies}
    fares = [Decimal(0)]
    for stop in range(1, stops):
        fares.append(max(fares[-1], amounts.get((0, stop), fares[-1])))
    different = {
        (start, end): amounts[start, end]
        for start, end in sold
        if amounts[start, end] != fares[end] - fares[start]
    }
    return FareTable(currencies[0], fares, different)


def table_per_km(per_km: Decimal, currency: str, km: Sequence[Decimal]) -> FareTable:
    """The fares of a service that costs the same for each kilometre."""
    fares = [round_amount(per_km * distance, currency) for distance in km]
    return FareTable(currency, fares, {})


def cheapest(tariff: Tariff, route: Route, stops: Sequence[str]) -> dict[Segment, Price]:
    """The lowest price of each segment of a route that has one."""
    segments = ((a, b) for a in range(len(stops)) for b in range(a + 1, len(stops)))
    found = ((segment, min(tariff.prices(route, stops, segment), default=None)) for segment in segments)
    return {segment: price for segment, price in found if price is not None}


def read_price(file: str, row: Row, column: str, currency: str, remarks: Remarks) -> Price | None:
    """The price in a row. It is rounded to the decimals of its currency, and that is reported."""
    text, code = row[column], row[currency]
    if not re.fullmatch(r"\d{1,8}(\.\d{0,6})?", text, re.ASCII):
        remarks.fault(file, row.line, f"{column} is {text!r}; it takes an amount such as 12.50.")
    elif not re.fullmatch(r"[A-Z]{3}", code, re.ASCII):
        remarks.fault(file, row.line, f"{currency} is {code!r}; it takes a currency such as INR.")
    else:
        amount = round_amount(Decimal(text), code)
        if amount != Decimal(text):
            remarks.leave_out(file, row.line, f"{column} {text} is rounded to {amount}.")
        return Price(amount, code)
    return None


# Fares v1 --------------------------------------------------------------------------------------


@dataclass
class _Fare:
    """A fare of fare_attributes.txt. rules: route, origin, destination → the zones that a journey passes."""

    price: Price
    agency: str
    rules: dict[tuple[str, str, str], set[str]] = field(default_factory=dict)


class FareRules:
    """fare_attributes.txt and fare_rules.txt: fares by route, by zones of both stops, and by zones passed."""

    def __init__(self, archive: Archive, feed: Feed, remarks: Remarks) -> None:
        self._zones = {stop.id: stop.zone for stop in feed.stops.values()}
        self._fares: dict[str, _Fare] = {}
        zones = set(self._zones.values())
        for row in archive.rows("fare_attributes.txt", ("fare_id", "price", "currency_type"), remarks):
            if price := read_price("fare_attributes.txt", row, "price", "currency_type", remarks):
                self._fares[row["fare_id"]] = _Fare(price, row["agency_id"])
        for row in archive.rows("fare_rules.txt", ("fare_id",), remarks):
            wrong = _unknown_in_rule(row, self._fares, feed, zones)
            if wrong:
                remarks.fault("fare_rules.txt", row.line, wrong)
                continue
            key = (row["route_id"], row["origin_id"], row["destination_id"])
            passed = self._fares[row["fare_id"]].rules.setdefault(key, set())
            if row["contains_id"]:
                passed.add(row["contains_id"])
        self._by_key: dict[tuple[str, str, str], list[tuple[_Fare, set[str]]]] = defaultdict(list)
        for fare in self._fares.values():
            for key, passed in (fare.rules or {("", "", ""): set()}).items():
                self._by_key[key].append((fare, passed))

    def prices(self, route: Route, stops: Sequence[str], segment: Segment) -> Iterator[Price]:
        """The prices of the fares that have no rules, or a rule that fits the segment."""
        start, end = segment
        origin, destination = self._zones[stops[start]], self._zones[stops[end]]
        passed = {self._zones[stop] for stop in stops[start : end + 1]}
        for key in product({route.id, ""}, {origin, ""}, {destination, ""}):
            for fare, zones in self._by_key.get(key, ()):
                if fare.agency in ("", route.agency.id) and (not zones or zones == passed):
                    yield fare.price


def _unknown_in_rule(row: Row, fares: Mapping[str, _Fare], feed: Feed, zones: set[str]) -> str:
    """What a rule names that the feed does not have; empty if there is nothing."""
    if row["fare_id"] not in fares:
        return f"fare_id is {row['fare_id']!r}, which is not in fare_attributes.txt."
    if row["route_id"] and row["route_id"] not in feed.routes:
        return f"route_id is {row['route_id']!r}, which is not in routes.txt."
    for column in ("origin_id", "destination_id", "contains_id"):
        if row[column] and row[column] not in zones:
            return f"{column} is {row[column]!r}, which is not a zone_id of stops.txt."
    return ""


# Fares v2 --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _LegRule:
    """What a row of fare_leg_rules.txt says about a network and two areas."""

    product: str
    priority: int


class LegRules:
    """fare_leg_rules.txt, fare_products.txt, areas and networks: the rules with the highest priority decide.

    Only the fares of usual passengers count: a product for another rider category is left out, and so is a
    rule that holds at some times of the day only.
    """

    def __init__(self, archive: Archive, feed: Feed, remarks: Remarks) -> None:
        self._products = self._read_products(archive, remarks)
        self._areas: dict[str, set[str]] = defaultdict(set)
        parents = {stop.id: stop.parent for stop in feed.stops.values()}
        for row in archive.rows("stop_areas.txt", ("area_id", "stop_id"), remarks):
            if row["stop_id"] not in feed.stops:
                remarks.fault(
                    "stop_areas.txt", row.line, f"stop_id is {row['stop_id']!r}, which is not in stops.txt."
                )
            self._areas[row["stop_id"]].add(row["area_id"])
        for stop, parent in parents.items():
            self._areas[stop] |= self._areas.get(parent, set())
        archive.read.add("areas.txt")  # it has the names of the areas only
        archive.read.add("networks.txt")
        self._rules: dict[tuple[str, str, str], list[_LegRule]] = defaultdict(list)
        self._has_priority = False
        for row in archive.rows("fare_leg_rules.txt", ("fare_product_id",), remarks):
            self._add_rule(row, remarks)
        self._named = [{key[n] for key in self._rules} - {""} for n in range(3)]

    def _read_products(self, archive: Archive, remarks: Remarks) -> dict[str, list[Price]]:
        usual = {""}
        for row in archive.rows("rider_categories.txt", ("rider_category_id",), remarks):
            if row["is_default_fare_category"] == "1":
                usual.add(row["rider_category_id"])
        products: dict[str, list[Price]] = defaultdict(list)
        for row in archive.rows("fare_products.txt", ("fare_product_id", "amount", "currency"), remarks):
            price = read_price("fare_products.txt", row, "amount", "currency", remarks)
            prices = products[row["fare_product_id"]]
            if row["rider_category_id"] not in usual:
                category = row["rider_category_id"]
                remarks.leave_out("fare_products.txt", row.line, f"the fare of rider category {category}.")
            elif price:
                prices.append(price)
        return products

    def _add_rule(self, row: Row, remarks: Remarks) -> None:
        file = "fare_leg_rules.txt"
        if row["fare_product_id"] not in self._products:
            message = f"fare_product_id is {row['fare_product_id']!r}, which is not in fare_products.txt."
            remarks.fault(file, row.line, message)
        elif row["from_timeframe_group_id"] or row["to_timeframe_group_id"]:
            remarks.leave_out(file, row.line, "the rule holds at some times of the day only.")
        elif not re.fullmatch(r"\d{0,9}", row["rule_priority"], re.ASCII):
            remarks.fault(file, row.line, "rule_priority takes a whole number, 0 or more.")
        else:
            self._has_priority |= "rule_priority" in row.values
            key = (row["network_id"], row["from_area_id"], row["to_area_id"])
            self._rules[key].append(_LegRule(row["fare_product_id"], int(row["rule_priority"] or 0)))

    def prices(self, route: Route, stops: Sequence[str], segment: Segment) -> Iterator[Price]:
        """The prices of the products of the rules that fit the segment and have the highest priority."""
        origin, destination = (self._areas[stops[index]] for index in segment)
        present = ({route.network}, origin, destination)
        fitting = [
            rule
            for key in product({route.network, ""}, origin | {""}, destination | {""})
            if all(map(self._fits, key, present, self._named))
            for rule in self._rules.get(key, ())
        ]
        highest = max((rule.priority for rule in fitting), default=0)
        for rule in fitting:
            if rule.priority == highest:
                yield from self._products[rule.product]

    def _fits(self, value: str, present: set[str], named: set[str]) -> bool:
        """Whether the network or the area of a rule fits. named: the networks or areas of all rules.

        An empty value fits every network or area. Without the column rule_priority, it fits only a network or
        an area that no rule names.
        """
        return bool(value) or self._has_priority or not present & named
