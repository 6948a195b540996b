"""Parser of journeys: places, date and type of service in one text.

Examples: "bengaluru mysuru tomorrow", "bengaluru to mysuru on 5 dec ac sleeper", "new delhi, old delhi". A
part of the text is read as the longest name, date or type that begins there. Without "from" and "to", the
first place is the origin.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from busware.server.conversation.answers import AmbiguousPlace, PlaceNames, quoted
from busware.server.conversation.dialogue import InvalidInput
from busware.server.conversation.words import listed
from busware.server.protocol import BusType, Place

_MAX_WORDS = 30  # of a text; the words after them are not understood
_MAX_WORDS_OF_PART = 6  # of a place, a date or a type
_WORD = re.compile(r"[^\s,;]+|[,;]")
_ENDS = {"from": "origin", "to": "destination"}
_IGNORED = (",", ";", "on", "and", "-", "–", "→", "->")


@dataclass(frozen=True)
class Filter:
    """A type of service; None: any."""

    bus_type: BusType | None = None
    ac: bool | None = None


ANY = Filter()
_FILTERS = {
    "any": ANY, "ac": Filter(ac=True), "nonac": Filter(ac=False), "sleeper": Filter("SLEEPER"),
    "semisleeper": Filter("SEMI_SLEEPER"), "seater": Filter("SEATER"),
}  # fmt: skip


@dataclass(frozen=True)
class Journey:
    """What a text says about a journey. None: nothing.

    problems: a sentence for each part of the text that is not understood.
    """

    origin: Place | None = None
    destination: Place | None = None
    day: date | None = None
    wanted: Filter | None = None
    problems: tuple[str, ...] = ()


def parse_journey(
    typed: str, places: Sequence[Place], find_date: Callable[[str], date | None] = lambda _: None
) -> Journey:
    """The journey that a text describes. find_date: a date; None for a text that has not the form of one."""
    names = PlaceNames(places)
    reading = _Reading()
    for text, meaning in _parts(typed, names, find_date):
        reading.add(text, meaning)
    return reading.journey(names)


def find_filter(typed: str) -> Filter | None:
    """The type that a text such as "ac sleeper" asks for; None if it says anything else."""
    found = parse_journey(typed, ())
    return found.wanted if found == Journey(wanted=found.wanted) else None


_Meaning = Place | date | Filter | InvalidInput | str | None


@dataclass(frozen=True)
class _Mention:
    """A part of a text that means a place, or may mean one.

    end: "origin" or "destination" after "from" or "to", else "". problem: why the place is None, if known.
    """

    text: str
    place: Place | None
    end: str
    problem: str = ""


class _Reading:
    """The parts of a text that have been read."""

    def __init__(self) -> None:
        self._day: date | None = None
        self._wanted: Filter | None = None
        self._mentions: list[_Mention] = []
        self._problems: list[str] = []
        self._end = ""  # of the next place
        self._joins = False  # whether the last word is not understood, and the next one may belong to it

    def add(self, text: str, meaning: _Meaning) -> None:
        """Add the next part."""
        joined, self._joins = self._joins, meaning is None
        if joined and meaning is None:
            last = self._mentions[-1]
            self._mentions[-1] = replace(last, text=f"{last.text} {text}")
            return
        match meaning:
            case str():
                self._end = meaning
                return
            case Filter():
                self._wanted = _combined(self._wanted or ANY, meaning)
            case date():
                if self._day not in (None, meaning):
                    self._problems.append(f"There are two dates: {self._day} and {meaning}.")
                self._day = meaning
            case AmbiguousPlace():
                self._mentions.append(_Mention(text, None, self._end, str(meaning)))
            case InvalidInput():
                self._problems.append(str(meaning))
            case _:
                self._mentions.append(_Mention(text, meaning, self._end))
        self._end = ""

    def journey(self, names: PlaceNames) -> Journey:
        """What the parts say. A part that is not understood counts as a place if fewer than two are known."""
        known = [mention for mention in self._mentions if mention.place]
        ends = _ends((known if len(known) > 1 else self._mentions)[:2])
        unused = [quoted(mention.text) for mention in self._mentions if mention not in ends.values()]
        problems = [*self._problems]
        if unused:
            problems.append(f"{listed(unused, 'and')} {'is' if len(unused) == 1 else 'are'} not understood.")
        problems += [m.problem or names.unknown(m.text) for m in ends.values() if m.place is None]
        origin, destination = (ends[end].place if end in ends else None for end in _ENDS.values())
        if origin is not None and origin == destination:
            problems.append(f"You leave from {origin.name}. Type another place.")
            destination = None
        return Journey(origin, destination, self._day, self._wanted, tuple(problems))


def _parts(
    typed: str, names: PlaceNames, find_date: Callable[[str], date | None]
) -> Iterator[tuple[str, _Meaning]]:
    """The parts of a text with their meanings: the longest part that has one, else a single word."""
    words = list(_WORD.finditer(typed))
    n = 0
    while n < min(len(words), _MAX_WORDS):
        for end in range(min(n + _MAX_WORDS_OF_PART, len(words)), n, -1):
            text = typed[words[n].start() : words[end - 1].end()]
            meaning = _meaning(text, names, find_date)
            if meaning is not None:
                break
        yield text, meaning
        n = end
    if n < len(words):
        yield typed[words[n].start() :], None


def _meaning(text: str, names: PlaceNames, find_date: Callable[[str], date | None]) -> _Meaning:
    """What a part of a text means. A text: the end that the next place is, or "" for a word to ignore.

    InvalidInput: a date that is not possible, or several places. None: the part is not understood.
    """
    word = text.lower()
    if word in _ENDS or word in _IGNORED:
        return _ENDS.get(word, "")
    try:
        return (
            names.named(text)
            or _FILTERS.get(re.sub(r"[\s_-]+", "", word))
            or find_date(text)
            or names.beginning_with(text)
        )
    except InvalidInput as error:
        return error


def _combined(first: Filter, second: Filter) -> Filter:
    return Filter(second.bus_type or first.bus_type, first.ac if second.ac is None else second.ac)


def _ends(mentions: Sequence[_Mention]) -> dict[str, _Mention]:
    """At most two mentions, by the end of the journey that each is: first those with "from" or "to"."""
    ends: dict[str, _Mention] = {}
    for mention in sorted(mentions, key=lambda mention: not mention.end):
        free = [end for end in _ENDS.values() if end not in ends]
        ends[mention.end if mention.end in free else free[0]] = mention
    return ends
