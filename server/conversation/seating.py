"""Parsers of answers about seats: which seats of a map, or how many."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec

from busware.server.conversation.answers import number_list, without_noun
from busware.server.conversation.dialogue import InvalidInput
from busware.server.conversation.words import listed, numbered, plural, quoted
from busware.server.protocol import Passenger, Seats

_MAX_FREE_LISTED = 8  # free seats in one message
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBER_WORD = re.compile(rf"\b({'|'.join(_NUMBERS)})\b")
_NOUN = r"(?:seats?|rooms?|berths?)"
_ANY_SEATS = re.compile(
    rf"(?:best|any|wait)\s*(?:(\d{{1,3}})(?:\s*{_NOUN})?)?|(\d{{1,3}})\s*{_NOUN}", re.ASCII
)
_SEAT = re.compile(r"\d{1,5}", re.ASCII)
_NOT_PEOPLE = r"[ap]m|h|st|nd|rd|th|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"  # 7pm, 5 dec
_COUNT = re.compile(rf"(?:wait|best|any)?\s*(\d{{1,6}})(?:\s*(?!(?:{_NOT_PEOPLE})\b)[a-z]+)?", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """The seats that a party wants: how many, and which. No numbers: any seats.

    waits: the party joins the waitlist if too few seats are free. reserved: those of the numbers that are
    reserved seats, and for which passengers.
    """

    count: int
    numbers: tuple[int, ...] = ()
    waits: bool = False
    reserved: tuple[tuple[int, Literal["women", "accessible"]], ...] = ()

    def passengers(self, names: Sequence[str | None]) -> list[Passenger] | None:
        """The passengers: these names, and what their reserved seats require. None if there is neither."""
        passengers = [Passenger(name=name) for name in names]
        reserved = dict(self.reserved)
        if reserved:
            passengers += [Passenger() for _ in range(self.count - len(passengers))]
        for n, seat_no in enumerate(self.numbers):
            if reserved.get(seat_no) == "women":
                passengers[n] = msgspec.structs.replace(passengers[n], gender="female")
            elif reserved.get(seat_no) == "accessible":
                passengers[n] = msgspec.structs.replace(passengers[n], accessible=True)
        return passengers if reserved or any(names) else None


def seats(seat_map: Seats, noun: str, any_two: str = "best 2") -> Callable[[str], Wanted]:
    """Seats of a map by number, or "best 2" for any two. A number in words, such as "two", is a count.

    any_two: how messages explain the answer for any two seats.
    """
    example = listed(seat_map.free[:2], "and") if seat_map.free else "7 and 8"
    by_number = _seat_numbers(seat_map, noun, f"{example}, or {any_two}")
    limit = max_count(seat_map)

    def parse(typed: str) -> Wanted:
        text = with_figures(typed)
        if typed.lower() in _NUMBERS:
            return Wanted(_check_count(limit, int(text), noun))
        if found := _ANY_SEATS.fullmatch(text):
            return Wanted(_check_count(limit, int(found[1] or found[2] or 1), noun))
        chosen = by_number(typed)
        return Wanted(_check_count(limit, len(chosen), noun), chosen)

    return parse


def _seat_numbers(seat_map: Seats, noun: str, example: str) -> Callable[[str], tuple[int, ...]]:
    numbers = [seat.seat_no for seat in seat_map.seats]
    return number_list(numbers, noun, example, f"The {noun}s are numbered 1 to {max(numbers)}.")


def exact_seats(count: int, seat_map: Seats, noun: str) -> Callable[[str], tuple[int, ...]]:
    """A fixed number of seats of a map; empty for "best 2", which means any two."""
    expected = f"{count} {plural(f'{noun} number', range(count))}"
    by_number = _seat_numbers(seat_map, noun, listed(seat_map.free[:count], "and"))

    def parse(typed: str) -> tuple[int, ...]:
        any_seats = _ANY_SEATS.fullmatch(with_figures(typed))
        if any_seats and int(any_seats[1] or any_seats[2] or count) == count:
            return ()
        chosen = by_number(typed)
        if len(chosen) != count:
            raise InvalidInput(f"You typed {len(chosen)} {plural('number', chosen)}. Type {expected}.")
        return chosen

    return parse


def another_seat(seat_map: Seats, noun: str, own: Collection[int]) -> Callable[[str], int]:
    """One seat of a map, other than the traveller's own."""
    by_number = _seat_numbers(seat_map, noun, "")

    def parse(typed: str) -> int:
        if not _SEAT.fullmatch(without_noun(typed, noun)):
            example = f"a free {noun}, such as {seat_map.free[0]}"
            raise InvalidInput(f"{quoted(typed)} is not a {noun}. Type the number of {example}.")
        (number,) = by_number(typed)
        if number in own:
            raise InvalidInput(f"You have {noun} {number} already. Type another number, or: back.")
        return number

    return parse


def count(noun: str, limit: int | None = None) -> Callable[[str], int]:
    """A number of seats. limit: the most for one booking."""

    def parse(typed: str) -> int:
        found = _COUNT.fullmatch(with_figures(typed))
        if found is None or int(found[1]) == 0:
            raise InvalidInput(f"{quoted(typed)} is not a number of {noun}s. Type a number such as 2.")
        return _check_count(limit, int(found[1]), noun)

    return parse


def describe_unavailable(seat_map: Seats, wanted: Wanted, noun: str) -> str:
    """A message that lists the wanted seats that are not free, and the free seats; "" if all are free."""
    taken = [n for n in wanted.numbers if n not in seat_map.free]
    if not taken:
        return ""
    free = ", ".join(map(str, seat_map.free[:_MAX_FREE_LISTED])) or "none"
    others = len(seat_map.free) - _MAX_FREE_LISTED
    more = f" and {others} more" if others > 0 else ""
    return f"{numbered(noun, taken)} not free. Free {noun}s: {free}{more}."


def max_count(seat_map: Seats) -> int:
    """The most seats of a map that one booking may have."""
    return min(seat_map.max_seats, len(seat_map.seats))


def with_figures(typed: str) -> str:
    """The line in lower case, with a figure for each of the words one to ten."""
    return _NUMBER_WORD.sub(lambda found: str(_NUMBERS.index(found[0]) + 1), typed.lower())


def _check_count(limit: int | None, count: int, noun: str) -> int:
    """Return the count. Raises InvalidInput if a booking may not have so many seats."""
    if limit is not None and not 1 <= count <= limit:
        raise InvalidInput(f"You asked for {count} {noun}s. One booking may have 1 to {limit}.")
    return count
