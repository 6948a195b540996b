"""Parser of journeys: places, date and type of service in one text.

Examples: "bengaluru mysuru tomorrow", "bengaluru to mysuru on 5 dec ac sleeper", "new delhi, old delhi". A
part of the text is read as the longest name, date or type that begins there. Without "from" and "to", the
first place is the origin.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import pairwise

from busware.server.conversation.answers import AmbiguousPlace, PlaceNames
from busware.server.conversation.dialogue import InvalidInput
from busware.server.conversation.words import day_of, listed, quoted
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
_TYPES = {
    "ac": Filter(ac=True), "sleeper": Filter("SLEEPER"), "semisleeper": Filter("SEMI_SLEEPER"),
    "semi": Filter("SEMI_SLEEPER"),
    "seater": Filter("SEATER"),
}  # fmt: skip
_TYPE = re.compile(
    rf"((?:non?|not|without)(?:an?)?)?({'|'.join(_TYPES)})"
)  # a type, or with a negation all other types


@dataclass(frozen=True)
class Journey:
    """What a text says about a journey. None: nothing.

    unknown: the text in the place of the destination, if the origin is known and the text names no place.
    problems: a sentence for each part of the text that is not understood.
    """

    origin: Place | None = None
    destination: Place | None = None
    day: date | None = None
    wanted: Filter | None = None
    problems: tuple[str, ...] = ()
    unknown: str = ""


def parse_journey(
    typed: str,
    places: Sequence[Place],
    find_date: Callable[[str], date | None] = lambda _: None,
    otherwise: str = "",
) -> Journey:
    """The journey that a text describes. find_date: the date of a text; None if it does not look like one.

    otherwise: the end of the problem of an unknown place, if no name is similar.
    """
    names = PlaceNames(places)
    reading = _Reading(otherwise)
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

    @property
    def names_place(self) -> bool:
        """Whether the text names one place or several."""
        return self.place is not None or self.problem != ""


class _Reading:
    """The parts of a text that have been read."""

    def __init__(self, otherwise: str) -> None:
        self._otherwise = otherwise  # as for parse_journey
        self._days: list[date] = []
        self._filters: dict[Filter, str] = {}  # with the texts that name them
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
                self._filters.setdefault(meaning, text)
            case date():
                if meaning not in self._days:
                    self._days.append(meaning)
            case AmbiguousPlace():
                self._mentions.append(_Mention(text, None, self._end, str(meaning)))
            case InvalidInput():
                self._problems.append(str(meaning))
            case _:
                self._mentions.append(_Mention(text, meaning, self._end))
        self._end = ""

    def journey(self, names: PlaceNames) -> Journey:
        """What the parts say. If parts contradict each other, none of them counts, and there is a problem."""
        origin, destination, unknown = self._ends(names)
        return Journey(origin, destination, self._day(), self._wanted(), tuple(self._problems), unknown)

    def _ends(self, names: PlaceNames) -> tuple[Place | None, Place | None, str]:
        candidates = _candidates(self._mentions)
        unused = [m for m in self._mentions if not any(m in found for found in candidates.values())]
        if unused:
            texts = listed((quoted(m.text) for m in unused), "and")
            later = " Seats are asked for later." if all(m.text.isdigit() for m in unused) else ""
            self._problems.append(f"{texts} {'is' if len(unused) == 1 else 'are'} not understood.{later}")
        unclear = {end: found for end, found in candidates.items() if len(found) > 1}
        if unclear:
            which = "places are" if len(unclear) > 1 else "place is"
            ends = listed((f"the {end}" for end in unclear), "and")
            texts = listed(dict.fromkeys(quoted(m.text) for found in unclear.values() for m in found), "or")
            self._problems.append(f"It is not clear which {which} {ends}: {texts}.")
        places: list[Place | None] = []
        unknown = ""
        for end, found in candidates.items():
            mention = found[0] if len(found) == 1 else None
            if mention and mention.place is None:
                if end == "destination" and places[0] and not mention.problem:
                    unknown = mention.text
                else:
                    self._problems.append(mention.problem or names.unknown(mention.text, self._otherwise))
            places.append(mention.place if mention else None)
        origin, destination = places
        if origin is not None and origin == destination:
            self._problems.append(f"You leave from {origin.name}. Type another place.")
            destination = None
        return origin, destination, unknown

    def _day(self) -> date | None:
        if len(self._days) > 1:
            days = listed(map(day_of, self._days), "and")
            self._problems.append(f"There are {len(self._days)} dates: {days}.")
            return None
        return next(iter(self._days), None)

    def _wanted(self) -> Filter | None:
        types = {chosen.bus_type: text for chosen, text in self._filters.items() if chosen.bus_type}
        cooling = {chosen.ac: text for chosen, text in self._filters.items() if chosen.ac is not None}
        contradicting = [texts.values() for texts in (types, cooling) if len(texts) > 1]
        for texts in contradicting:
            self._problems.append(f"{listed(map(quoted, texts), 'and')} contradict each other.")
        if contradicting or not self._filters:
            return None
        return Filter(next(iter(types), None), next(iter(cooling), None))


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
    """What a part of a text means. A str: "origin" or "destination" for the next place, "" for nothing.

    InvalidInput: a date that is not possible, or several places. None: the part is not understood.
    """
    word = text.lower()
    if word in _ENDS or word in _IGNORED:
        return _ENDS.get(word, "")
    try:
        return names.named(text) or _find_type(text) or find_date(text) or names.beginning_with(text)
    except InvalidInput as error:
        return error


def _find_type(text: str) -> Filter | None:
    """The type that a text names. Raises InvalidInput if the text excludes a type, and others remain."""
    word = re.sub(r"[\s_-]+", "", text.lower())
    if word in ("any", "all"):
        return ANY
    found = _TYPE.fullmatch(word)
    if found is None:
        return None
    excluded, named = found[1], _TYPES[found[2]]
    if not excluded:
        return named
    if named.ac is None:
        types = "sleeper, semi-sleeper, seater, ac and non-ac"
        raise InvalidInput(f"{quoted(text)} is not understood. The types are {types}.")
    return Filter(ac=False)


def _candidates(mentions: Sequence[_Mention]) -> dict[str, list[_Mention]]:
    """The mentions that each end of the journey may be. Several: it is not clear which one.

    The places after "from" and "to" come first. An end without such a place is one of the other places, or
    the part before "to". If these are too few, other parts count too: they may be misspelt places.
    """
    candidates: dict[str, list[_Mention]] = {}
    for end in _ENDS.values():
        marked = [m for m in mentions if m.end == end]
        candidates[end] = [m for m in marked if m.names_place] or marked
    free = [end for end, marked in candidates.items() if not marked]
    others = [m for m in mentions if not m.end]
    before_to = [m for m, following in pairwise(mentions) if following in candidates["destination"]]
    likely = [m for m in others if m.names_place or m in before_to]
    if len(likely) < len(free):
        likely = others
    if len(likely) <= len(free):
        return candidates | {end: [m] for end, m in zip(free, likely, strict=False)}
    return candidates | dict.fromkeys(free, likely)
