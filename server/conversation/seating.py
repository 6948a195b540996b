"""What an answer about seats means: which of a map, or how many. See answers.py for how these are used."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from busware.server.conversation.answers import listed, number_list, shown
from busware.server.conversation.dialogue import Problem
from busware.server.protocol import Seats

_MOST_LISTED = 12  # of the seats that are free, when a wrong one was named
_NUMBERS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_WORD = re.compile(rf"\b({'|'.join(_NUMBERS)})\b")
_BEST = re.compile(r"(?:best|any|wait)\s*(\d{1,3})?|(\d{1,3})\s*(?:seats?|rooms?|berths?)", re.ASCII)


@dataclass(frozen=True)
class Wanted:
    """The seats that a party wants: these, or any so many."""

    seats: tuple[int, ...] = ()
    any: int = 0

    @property
    def count(self) -> int:
        """How many."""
        return self.any or len(self.seats)


def seats(seat_map: Seats, noun: str) -> Callable[[str], Wanted]:
    """Seats of a map by number, or "best 2" for any so many; a number in words says how many, too."""
    numbers = [seat.seat_no for seat in seat_map.seats]
    most = most_of(seat_map)
    takes = f"{noun} numbers such as {_example(seat_map.free)}, or best 2 for any two"

    def parse(typed: str) -> Wanted:
        if typed.lower() in _NUMBERS:
            return Wanted(any=_count(int(_in_figures(typed)), most, noun))
        if best := _BEST.fullmatch(_in_figures(typed)):
            return Wanted(any=_count(int(best[1] or best[2] or 1), most, noun))
        chosen = number_list(typed, takes)
        for n in chosen:
            if n not in numbers:
                raise Problem(f"There is no {noun} {n}: they are numbered 1 to {max(numbers)}.")
        _count(len(chosen), most, noun)
        return Wanted(seats=chosen)

    return parse


def not_free(seat_map: Seats, wanted: Wanted, noun: str) -> str:
    """Which of the wanted seats are not free by a map, and which are; "" where there are none such."""
    free = seat_map.free
    gone = [n for n in wanted.seats if n not in free]
    if not gone:
        return ""
    some = ", ".join(map(str, free[:_MOST_LISTED])) + " …" * (len(free) > _MOST_LISTED)
    return f"{are(gone, noun)} not free. Free: {some or 'none'}."


def are(numbers: Sequence[int], noun: str) -> str:
    """Seat 7 is; Seats 7 and 8 are."""
    several = len(numbers) > 1
    names = listed([str(n) for n in numbers], "and")
    return f"{noun.capitalize()}{'s' * several} {names} {'are' if several else 'is'}"


def most_of(seat_map: Seats) -> int:
    """How many seats of a map one booking may have."""
    return min(seat_map.max_seats, len(seat_map.seats))


def one_seat(seat_map: Seats, noun: str, mine: Collection[int]) -> Callable[[str], int]:
    """One free seat of a map, by number. mine: those that one has."""
    some = seats(seat_map, noun)

    def parse(typed: str) -> int:
        if typed in map(str, mine):
            raise Problem(f"You have {noun} {typed} already. Type the number of another, or: back.")
        if not typed.isdecimal():
            raise Problem(f"{shown(typed)} is not understood. Type the number of one {noun} that is free.")
        return some(typed).seats[0]

    return parse


def positive(noun: str) -> Callable[[str], int]:
    """A number of seats, however many there are."""

    def parse(typed: str) -> int:
        digits = _in_figures(typed)
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 6 and int(digits) > 0):
            raise Problem(f"{shown(typed)} is no number of {noun}s: type one such as 2.")
        return int(digits)

    return parse


def exactly(count: int, numbers: Collection[int], noun: str) -> Callable[[str], tuple[int, ...]]:
    """So many of these numbers."""

    def parse(typed: str) -> tuple[int, ...]:
        chosen = number_list(
            typed, f"{count} {noun} numbers such as {' '.join(map(str, range(1, count + 1)))}"
        )
        for n in chosen:
            if n not in numbers:
                raise Problem(f"There is no {noun} {n}: they are numbered 1 to {max(numbers)}.")
        if len(chosen) != count:
            raise Problem(f"You want {count}, and named {len(chosen)}. Type {count} {noun} numbers.")
        return chosen

    return parse


def count(most: int, noun: str) -> Callable[[str], int]:
    """A number of seats."""

    def parse(typed: str) -> int:
        digits = re.fullmatch(r"(?:wait|best|any)?\s*(\d{1,3})(?:\s*[a-z]+)?", _in_figures(typed), re.ASCII)
        if digits is None:
            raise Problem(f"{shown(typed)} is no number of {noun}s: type one such as 2.")
        return _count(int(digits[1]), most, noun)

    return parse


def _in_figures(typed: str) -> str:
    """The line in small letters, its numbers up to ten in figures: "best 2" for "Best two"."""
    return _WORD.sub(lambda found: str(_NUMBERS.index(found[0]) + 1), typed.lower())


def _count(n: int, most: int, noun: str) -> int:
    if not 1 <= n <= most:
        raise Problem(f"One booking may have 1 to {most} {noun}s; {n} is not among them.")
    return n


def _example(free: Sequence[int]) -> str:
    return " ".join(str(n) for n in free[:2]) or "7 8"
