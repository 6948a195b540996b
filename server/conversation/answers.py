"""Parsers of answers, for `Ask`: each takes the stripped line, and returns a value or raises InvalidInput.

The message of InvalidInput says what a valid answer is.
"""

import difflib
import re
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from typing import Any, TypeVar

from busware.server.conversation.dates import find_date, parse_date
from busware.server.conversation.dialogue import Ask, Choice, InvalidInput
from busware.server.conversation.words import (
    PHONE_EXAMPLE,
    abridged,
    day_of,
    listed,
    plural,
    quoted,
)
from busware.server.protocol import Place, fold_name, normalize_text
from busware.server.protocol.text import REFERENCE_ALPHABET

T = TypeVar("T")
D = TypeVar("D")

MAX_NAME = 80  # characters, as in protocol.fields.PersonName
_MIN_BEGINNING = 3  # characters of the beginning of a place's name, as in sql/22_place_codes.sql
_MAX_PLACES_LISTED = 5  # in one message
_MAX_SIMILAR = 5  # similar places in the message about an unknown place
_MIN_SIMILARITY = 0.7  # of such a place to the answer, from 0 to 1, which is the same text
_MAX_NUMBERS_LISTED = 6  # in one message
_SEPARATORS = re.compile(r"[\s,;&]+|\band\b")
_RANGE = re.compile(r"(\d{1,5})\s*(?:-|–|to)\s*(\d{1,5})", re.ASCII)
_MAX_RANGE = 100  # numbers
_REFERENCE = re.compile(rf"([{REFERENCE_ALPHABET}]{{6,18}})(?:0[1-9]\d{{0,2}})?", re.ASCII)
_PHONE = re.compile(r"\+?[\d\s().-]{6,32}", re.ASCII)
_PHONE_AND_NAME = re.compile(r"(\+?[\d\s().-]*\d)\s+([^\W\d].*)", re.DOTALL)
_TIME = re.compile(r"([01]?\d|2[0-3])[:.]([0-5]\d)(?::00)?", re.ASCII)
_BETWEEN_NAMES = re.compile(r" ?(?:,(?: ?and\b)?|&|\band\b) ?", re.IGNORECASE)
LIST_PLACES = "Type ? for a list."
_NO_PHONE = ("none", "no", "-")
_YES_NO = {
    **dict.fromkeys(("y", "yes", "yesplease", "yeah", "yep", "sure", "ok", "okay", "confirm"), True),
    **dict.fromkeys(("n", "no", "nothanks", "nothankyou", "nope"), False),
}


def _letters(word: str) -> str:
    """The word in lower case. A sign after a letter does not count: non-ac is NON_AC, and -1 is not 1."""
    return re.sub(r"(?<=[a-z])[\s,_-]+", "", word.lower())


def with_default(parse: Callable[[str], T], default: D) -> Callable[[str], T | D]:
    """The same parser; an empty line is the default."""
    return lambda typed: parse(typed) if typed else default


def optional(parse: Callable[[str], T]) -> Callable[[str], T | None]:
    """The same parser; an empty line is None."""
    return with_default(parse, None)


def any_date(today: date) -> Callable[[str], date]:
    """A date."""
    return lambda typed: parse_date(typed, today)


def date_on_sale(today: date, first: date, last: date) -> Callable[[str], date]:
    """A date on sale. first: today at the places; it can differ from the server's today."""
    return lambda typed: _check_on_sale(any_date(today)(typed), first, last)


def finds_date_on_sale(today: date, first: date, last: date) -> Callable[[str], date | None]:
    """A date on sale; None if the text does not have the form of a date."""

    def parse(typed: str) -> date | None:
        day = find_date(typed, today)
        return day and _check_on_sale(day, first, last)

    return parse


def _check_on_sale(day: date, first: date, last: date) -> date:
    """The date, if it is on sale. Raises InvalidInput."""
    if day < first:
        raise InvalidInput(f"{day_of(day)} is in the past. Today is {day_of(first)}.")
    if day > last:
        raise InvalidInput(f"{day_of(day)} is too far ahead. Sales are open up to {day_of(last)}.")
    return day


def time_of_day(typed: str) -> str | None:
    """A time as HH:MM; None if it is not a time."""
    found = _TIME.fullmatch(typed)
    return f"{int(found[1]):02d}:{found[2]}" if found else None


def time_or_date(typed: str, today: date) -> str | None:
    """A time as HH:MM; None if the text is a date: 21.30 is a time, 5.12 is a date."""
    time = time_of_day(typed)
    if time is not None and ":" not in typed:
        with suppress(InvalidInput):
            return None if find_date(typed, today) else time
    return time


def one_of(options: Mapping[str, T], synonyms: Mapping[str, T] | None = None) -> Callable[[str], T]:
    """One of the options, or an unambiguous beginning of one; `-` or a space may stand for `_`.

    synonyms: words that are accepted in full and not listed in messages. "no" does not abbreviate NON_AC: it
    may be meant for another question.
    """
    values = {_letters(word): value for word, value in {**options, **(synonyms or {})}.items()}

    def parse(typed: str) -> T:
        word = _letters(typed)
        if word in values:
            return values[word]
        found = {values[_letters(option)] for option in options if _letters(option).startswith(word)}
        if not word or word in _YES_NO or len(found) != 1:
            numbers = [known for known in values if known.isdigit()] if word.isdigit() else []
            raise InvalidInput(f"{quoted(typed)} is not valid. Type {listed(numbers or options, 'or')}.")
        return found.pop()

    return parse


yes_or_no = one_of({"yes": True, "no": False}, _YES_NO)


class AmbiguousPlace(InvalidInput):
    """A text that means several places."""


class PlaceNames:
    """Finds places by the texts that name them. The rules of sql/22_place_codes.sql."""

    def __init__(self, places: Sequence[Place]) -> None:
        self._places = places
        self._by_code = {p.code: p for p in places}
        self._by_word: dict[str, list[Place]] = {}
        for p in places:
            for word in {fold_name(spelling) for spelling in spellings(p)}:
                self._by_word.setdefault(word, []).append(p)

    def named(self, typed: str) -> Place | None:
        """The place with this code, or else with this name or alias. Raises AmbiguousPlace."""
        word = fold_name(typed)
        found = self._by_word.get(word, [])
        with_code = [p for p in found if fold_name(p.code) == word]
        return self._only(with_code or found, "are called", typed, "the code instead of the name")

    def beginning_with(self, typed: str) -> Place | None:
        """The place of which a code, name or alias begins with this text. Raises AmbiguousPlace."""
        word = fold_name(typed)
        if len(word) < _MIN_BEGINNING:
            return None
        found = (p for name, named in self._by_word.items() if name.startswith(word) for p in named)
        by_code = {p.code: p for p in found}
        return self._only([*by_code.values()], "begin with", typed, "the whole name, or the code")

    def other_meanings(self, typed: str) -> list[Place]:
        """The places that a code may mean too, because a code or name of theirs begins with it."""
        word = fold_name(typed)
        if word not in map(fold_name, self._by_code):
            return []
        found = {p.code: p for name, named in self._by_word.items() if name.startswith(word) for p in named}
        return [p for p in found.values() if fold_name(p.code) != word]

    def unknown(self, typed: str, otherwise: str = "") -> str:
        """The message about a text that names no place, with similar names. otherwise: if there are none."""
        similar = self.similar(typed)
        names = listed(similar, "or") if similar else self._similar_to_each_word(typed)
        if typed and len(fold_name(typed)) < _MIN_BEGINNING:
            otherwise = f"Type {_MIN_BEGINNING} characters or more."
        hint = f"Did you mean {names}?" if names else otherwise
        where = " on any route" if typed else ""
        return f"{quoted(typed)} is not a place{where}. {hint}".rstrip()

    def similar(self, typed: str) -> list[str]:
        """The places with names that are similar to this text, the most similar first."""
        close = difflib.get_close_matches(fold_name(typed), self._by_word, _MAX_SIMILAR, _MIN_SIMILARITY)
        found = {p.code: label(p, self._places) for word in close for p in self._by_word[word]}
        return [*found.values()][:_MAX_SIMILAR]

    def _similar_to_each_word(self, typed: str) -> str:
        """The most similar place for each word of a short text; empty if one of them has none."""
        words = typed.split()
        found = [self.similar(word)[:1] for word in words] if len(words) <= _MAX_SIMILAR else []
        return listed((names[0] for names in found), "and") if found and all(found) else ""

    def _only(self, found: Sequence[Place], relation: str, typed: str, distinct: str) -> Place | None:
        """The one of these places that contains the others.

        relation: the words between the places and the typed text. distinct: what to type instead.
        """
        codes = {p.code for p in found}
        meant = [p for p in found if not codes & set(_containers(p, self._by_code))]
        if len(meant) > 1:
            names = abridged([_name_and_code(p) for p in meant], _MAX_PLACES_LISTED)
            raise AmbiguousPlace(
                f"Several places {relation} {quoted(typed)}: {listed(names, 'and')}. Type {distinct}."
            )
        return meant[0] if meant else None


def place(
    places: Sequence[Place], excluded: Place | None = None, relation: str = "You leave from"
) -> Callable[[str], Place]:
    """A place by name, code or alias, or the beginning of one. excluded: the other end of the journey."""
    names = PlaceNames(places)

    def parse(typed: str) -> Place:
        found = names.named(typed) or names.beginning_with(typed)
        if found is None:
            raise InvalidInput(names.unknown(typed, LIST_PLACES))
        if found == excluded:
            raise InvalidInput(f"{relation} {found.name}. Type another place.")
        return found

    return parse


def spellings(place: Place) -> tuple[str, ...]:
    """The texts that name a place."""
    return (place.code, place.name, *place.aliases)


def label(place: Place, places: Sequence[Place]) -> str:
    """The name of a place, with its code if another place has the name too."""
    same = [p for p in places if fold_name(p.name) == fold_name(place.name)]
    return place.name if len(same) == 1 else _name_and_code(place)


def _name_and_code(place: Place) -> str:
    return f"{place.name} ({place.code})"


def _containers(place: Place, by_code: Mapping[str, Place]) -> list[str]:
    """The codes of the places that contain a place, directly or not."""
    codes: list[str] = []
    while place.part_of and place.part_of not in codes:
        codes.append(place.part_of)
        place = by_code.get(place.part_of, place)
    return codes


def without_noun(typed: str, noun: str) -> str:
    """The text after the noun of a number: 7 of "seat 7", 1,2 of "tickets 1,2"."""
    return re.sub(rf"\A(?:{re.escape(noun)}s?\s*(?:no\b\.?\s*)?)?#?(?=\d)", "", typed, flags=re.IGNORECASE)


def number_of(numbers: Collection[int], noun: str) -> Callable[[str], int]:
    """One of these numbers."""
    by_text = {str(number): number for number in numbers}

    def parse(typed: str) -> int:
        number = by_text.get(without_noun(typed, noun))
        if number is None:
            some = [*by_text][:_MAX_NUMBERS_LISTED]
            some += ["another"] * (len(by_text) > len(some))
            raise InvalidInput(f"{quoted(typed)} is not a {noun} in the list. Type {listed(some, 'or')}.")
        return number

    return parse


def some_of(numbers: Sequence[int], noun: str) -> Callable[[str], tuple[int, ...]]:
    """Some of these numbers; an empty line or "all" means all of them."""
    example = f"{listed(numbers[:2], 'and')}, or all"
    parse_numbers = number_list(numbers, noun, example, f"Type {listed(numbers, 'or')}.")

    def parse(typed: str) -> tuple[int, ...]:
        if typed.lower() in ("", "all"):
            return tuple(numbers)
        return parse_numbers(typed)

    return parse


def phone(typed: str) -> str:
    """A phone number. Only its characters are checked here; whether it is valid is checked on use."""
    if not _PHONE.fullmatch(typed) or sum(c.isdigit() for c in typed) < 6:
        raise InvalidInput(f"{quoted(typed)} is not a phone number, such as {PHONE_EXAMPLE}.")
    return typed


def optional_phone(typed: str) -> str | None:
    """A phone number; None for an empty line, or for the words "none" and "no"."""
    return phone(typed) if typed and typed.lower() not in _NO_PHONE else None


@dataclass(frozen=True)
class Contact:
    """A phone number, and the names of passengers."""

    phone: str | None
    names: tuple[str | None, ...] = ()

    @property
    def line(self) -> str:
        """The line that says the same."""
        return ", ".join([self.phone or "none", *(name or "" for name in self.names)])


def contact(seats: int, seat: str, default: str | None, *, required: bool) -> Callable[[str], Contact]:
    """A phone number, and then the names of passengers, at most one for each seat.

    Commas or the word "and" are between the names.
    default: the phone number of an answer without one; "none" instead of a number means that there is none.
    required: there must be one.
    """

    def parse(typed: str) -> Contact:
        number, *names = _BETWEEN_NAMES.split(" ".join(typed.split()))
        if found := _PHONE_AND_NAME.fullmatch(number):
            number, names = found[1], [found[2], *names]
        has_phone = number.lower() in _NO_PHONE or any(c.isdigit() for c in number)
        if number and not has_phone and (default or not required):
            number, names = "", [number, *names]  # names only
        if not number and required and not default:
            raise InvalidInput(f"{quoted(typed)} has no phone number. Type one, such as {PHONE_EXAMPLE}.")
        if len(names) > seats:
            numbers = f"{len(names)} {plural('name', names)} for {seats} {plural(seat, range(seats))}"
            raise InvalidInput(f"You typed {numbers}. Type at most one name for each {seat}.")
        parse_phone = phone if required else optional_phone
        return Contact(parse_phone(number) if number else default, tuple(map(name, names)))

    return parse


def reference(typed: str) -> str:
    """The reference of a booking, also from the number of a ticket (words.ticket_number)."""
    found = _REFERENCE.fullmatch(typed.upper().strip(". "))
    if found is None:
        rule = ", such as CVK7GHJ"
        if len(typed) >= 6 and typed.isalnum():
            rule = ": one has no I, O, 0, 1, 2, 4, 5 or 6"
        raise InvalidInput(f"{quoted(typed)} is not a reference{rule}.")
    return found[1]


def message(typed: str) -> str:
    """A message to the operator."""
    if not typed:
        raise InvalidInput("The message is empty. Type a message, such as: Where is my bus?")
    return typed


def name(typed: str) -> str | None:
    """A passenger's name; None if it is empty."""
    if len(typed) > MAX_NAME:
        raise InvalidInput(f"A name has at most {MAX_NAME} characters. This name has {len(typed)}.")
    if typed and not (typed == normalize_text(typed) and any(c.isalpha() for c in typed)):
        raise InvalidInput(f"{quoted(typed)} is not a name. Type a name such as Asha.")
    return typed or None


def some_name(typed: str) -> str:
    """A passenger's name."""
    found = name(typed)
    if found is None:
        raise InvalidInput(f"{quoted(typed)} is not a name. Type a name such as Asha.")
    return found


def number_list(
    known: Collection[int], noun: str, example: str, hint: str
) -> Callable[[str], tuple[int, ...]]:
    """A list of different numbers such as "7, 8" or "7-9".

    known: the numbers that exist. example: valid lists. hint: what to type instead of an
    unknown number.
    """

    def parse(typed: str) -> tuple[int, ...]:
        numbers = without_noun(typed.lower(), noun)
        expanded = _RANGE.sub(lambda found: _expand_range(int(found[1]), int(found[2])), numbers)
        words = [word for word in _SEPARATORS.split(expanded) if word]
        if not words or not all(w.isascii() and w.isdigit() and len(w) <= 5 for w in words):
            raise InvalidInput(f"{quoted(typed)} is not a list of numbers, such as {example}.")
        for number, times in Counter(int(word) for word in words).items():
            if times > 1:
                raise InvalidInput(f"{number} appears more than once.")
            if number not in known:
                raise InvalidInput(f"There is no {noun} {number}. {hint}")
        return tuple(int(word) for word in words)

    return parse


def ask_yes_no(question: str, hint: str, field: str = "confirm") -> Ask:
    """A question to answer with yes or no."""
    return Ask(f"{question} (yes or no)", yes_or_no, field, hint, choices("yes", "no"))


def ask_option(
    prompt: str, options: Mapping[str, Any], field: str, hint: str, synonyms: Mapping[str, Any] | None = None
) -> Ask:
    """A question for one of several options, by name, beginning or number. options: by name, in order.

    If one of them is "any", with the value None, an empty line means it.
    """
    numbers = {str(n): value for n, value in enumerate(options.values(), 1)}
    parse = one_of(options, {**(synonyms or {}), **numbers})
    return Ask(
        prompt, optional(parse) if "any" in options else parse, field, hint, choices(*options), numbered=True
    )


def ask_number(prompt: str, options: Mapping[int, str], noun: str, field: str, hint: str) -> Ask:
    """A question for one of several numbers. options: the numbers, with a description each."""
    described = tuple(Choice(str(number), about) for number, about in options.items())
    return Ask(prompt, number_of(options, noun), field, hint, described)


def choices(*texts: object) -> tuple[Choice, ...]:
    """Choices without a description."""
    return tuple(Choice(str(text)) for text in texts)


def _expand_range(low: int, high: int) -> str:
    """The numbers of a range as text; "?", which is not a number, if the range is reversed or too long."""
    return " ".join(str(n) for n in range(low, high + 1)) if 0 <= high - low < _MAX_RANGE else "?"
