"""What a traveller's answer means: one function for each kind of question, made to be given to `Ask`.

Each takes the line, stripped, and returns the value or raises Problem with a sentence that says what
would be right. Whatever depends on the timetable comes in as an argument.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import TypeVar

from busware.server.conversation.dates import DateError, parse_date
from busware.server.conversation.dialogue import Choice, Problem
from busware.server.protocol import Place

T = TypeVar("T")

MAX_NAME = 80  # characters, as server.wire.PersonName takes
_SHOWN = 40  # characters of an answer that is repeated
_SEPARATORS = re.compile(r"[\s,;&]+|\band\b")
_RANGE = re.compile(r"(\d{1,5})\s*(?:-|–|to)\s*(\d{1,5})", re.ASCII)
_REFERENCE = re.compile(r"[A-HJ-NP-Z3789]{6,18}")  # as sql/21_reference.sql makes them
_PHONE = re.compile(r"\+?[\d\s().-]{6,32}", re.ASCII)
_YES = {"y", "yes", "yes please", "yeah", "yep", "sure", "ok", "okay", "confirm"}
_NO = {"n", "no", "no thanks", "no thank you", "nope"}


def shown(typed: str) -> str:
    """An answer, as it is repeated at the beginning of a sentence."""
    if not typed:
        return "An empty line"
    return f'"{typed}"' if len(typed) <= _SHOWN else f'"{typed[:_SHOWN]}…"'


def travel_date(today: date, last: date | None = None) -> Callable[[str], date]:
    """A date, today or later. last: up to which there is something on sale."""

    def parse(typed: str) -> date:
        day = any_date(today)(typed)
        if day < today:
            raise Problem(f"{day} is in the past; today is {today}.")
        if last is not None and day > last:
            raise Problem(f"{day} is too far ahead: sales are open up to {last}.")
        return day

    return parse


def any_date(today: date) -> Callable[[str], date]:
    """A date."""

    def parse(typed: str) -> date:
        try:
            return parse_date(typed[:_SHOWN], today)
        except DateError as error:
            raise Problem(str(error)) from None

    return parse


def one_of(options: dict[str, T], more: dict[str, T] | None = None) -> Callable[[str], T]:
    """One of the words, in any case, `-` or a blank for `_`, or the beginning of just one of them.

    Only yes and no are the beginning of nothing: they answer another question.

    more: words that are understood too, and not spoken of.
    """
    meanings = {_letters(word): value for word, value in {**options, **(more or {})}.items()}

    def parse(typed: str) -> T:
        word = _letters(typed)
        begins = {meanings[w] for w in meanings if w.startswith(word)} if word not in _YES | _NO else set()
        meant = {meanings[word]} if word in meanings else begins
        if not word or len(meant) != 1:
            raise Problem(f"{shown(typed)} is none of these: {listed([*options], 'or')}.")
        return meant.pop()

    return parse


def one_or_any(options: dict[str, T]) -> Callable[[str], T | None]:
    """One of the words, as above; any, or nothing, is None."""
    one = one_of({**options, "any": None})
    return lambda typed: one(typed) if typed else None


def place(places: Sequence[Place], other: Place | None = None) -> Callable[[str], Place]:
    """A place by name, code or alias. other: the one it must differ from."""
    by_word = {word.lower(): p for p in places for word in (*p.aliases, p.code, p.name)}

    def parse(typed: str) -> Place:
        word = " ".join(typed.lower().split())
        found = by_word.get(word)
        if found is None:
            begins = {p.code: p for w, p in by_word.items() if len(word) >= 2 and w.startswith(word)}
            if len(begins) != 1:
                raise Problem(_no_place(typed, word, by_word))
            (found,) = begins.values()
        if found == other:
            raise Problem(f"You leave from {found.name}: the other end must be another place.")
        return found

    return parse


def _no_place(typed: str, word: str, by_word: dict[str, Place]) -> str:
    near = [by_word[w].name for w in by_word if len(word) >= 2 and w.startswith(word)]
    near += [by_word[w].name for w in difflib.get_close_matches(word, by_word, 5, 0.5)]
    hint = (
        f"Did you mean {listed(list(dict.fromkeys(near))[:5], 'or')}?" if near else "Type ? to see them all."
    )
    return f"{shown(typed)} is no place that is served. {hint}"


def number_of(numbers: Collection[int], noun: str) -> Callable[[str], int]:
    """One of these numbers. noun: what has them."""

    def parse(typed: str) -> int:
        digits = typed.removeprefix("#")
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and int(digits) in numbers):
            raise Problem(
                f"{shown(typed)} is no {noun} of those above: {listed([str(n) for n in numbers], 'or')}."
            )
        return int(digits)

    return parse


def some_of(numbers: Collection[int], noun: str) -> Callable[[str], tuple[int, ...]]:
    """Some of these numbers; nothing, or "all", means all of them."""

    def parse(typed: str) -> tuple[int, ...]:
        if typed.lower() in ("", "all"):
            return tuple(numbers)
        chosen = number_list(
            typed, f"{noun} numbers such as {listed([str(n) for n in numbers][:2], 'and')}, or all"
        )
        for n in chosen:
            if n not in numbers:
                raise Problem(f"There is no {noun} {n} to choose: {listed([str(n) for n in numbers], 'or')}.")
        return chosen

    return parse


def yes_or_no(typed: str) -> bool:
    """yes or no; nothing is neither, since it is too easily typed."""
    word = " ".join(typed.lower().replace(",", " ").split())
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise Problem(f"{shown(typed)} is neither yes nor no.")


def phone(typed: str) -> str:
    """A phone number by its look; the server knows which there are."""
    if not _PHONE.fullmatch(typed) or sum(c.isdigit() for c in typed) < 6:
        raise Problem(f"{shown(typed)} is no phone number. Type one such as 98450 12345 or +44 20 7946 0958.")
    return typed


def phone_or_none(typed: str) -> str | None:
    """A phone number, or nothing."""
    return phone(typed) if typed else None


def reference(typed: str) -> str:
    """The reference of a booking."""
    word = typed.upper().strip(". ")
    if not _REFERENCE.fullmatch(word):
        raise Problem(
            f"{shown(typed)} is no reference: one is 6 or more letters and digits, such as CVK7GHJ. "
            "I, O, 0, 1, 2, 4, 5 and 6 are in none."
        )
    return word


def message(typed: str) -> str:
    """What somebody has to say."""
    if not typed:
        raise Problem("An empty line says nothing. Type the message, such as: Where is my bus?")
    return typed


def name(typed: str) -> str | None:
    """A passenger's name, or nothing."""
    if len(typed) > MAX_NAME:
        raise Problem(f"A name has at most {MAX_NAME} characters; this one has {len(typed)}.")
    if typed and not (typed.isprintable() and any(c.isalpha() for c in typed)):
        raise Problem(f"{shown(typed)} is no name. Type one such as Asha, or press Enter for none.")
    return typed or None


def choices(*texts: str) -> tuple[Choice, ...]:
    """Answers that need no word about them."""
    return tuple(Choice(text) for text in texts)


def counted(n: int, noun: str) -> str:
    """1 ticket, 2 tickets."""
    return f"{n} {noun}{'s' * (n != 1)}"


def listed(words: Sequence[str], last: str) -> str:
    """The words as people list them: "1", "1 or 2", "1, 2 or 3"."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1]))) if words else "none"


def number_list(typed: str, takes: str) -> tuple[int, ...]:
    """The different numbers of a list such as "7, 8" or "7-9"."""
    spread = _RANGE.sub(lambda found: _spread(int(found[1]), int(found[2])), typed.lower())
    words = [word for word in _SEPARATORS.split(spread) if word]
    if not words or not all(w.isascii() and w.isdigit() and len(w) <= 5 for w in words):
        raise Problem(f"{shown(typed)} is not understood. Type {takes}.")
    numbers = tuple(int(word) for word in words)
    for n, times in Counter(numbers).items():
        if times > 1:
            raise Problem(f"{n} is there twice.")
    return numbers


def _letters(word: str) -> str:
    return re.sub(r"[\s_-]+", "", word.lower())


def _spread(low: int, high: int) -> str:
    return " ".join(str(n) for n in range(low, high + 1)) if 0 <= high - low < 100 else "?"
