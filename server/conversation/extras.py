"""What a party asks for beside its seats: a class of seats, concessions, infants and a promo code.

The terminal asks for what the service of a trip has. In plain text, whose questions are published, words say
it, at the end of the command line or after the phone number: class premium concession child promo DIWALI.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import msgspec

from busware.server.conversation import answers
from busware.server.conversation.dialogue import Ask, Choice, InvalidInput, Steps
from busware.server.conversation.seating import Wanted
from busware.server.conversation.words import listed, money, plural, quoted
from busware.server.protocol import Concession, Passenger, Refusal, SeatClass, Seats

_KEYWORD = re.compile(
    r"(?:\A|(?<![\s,;])[\s,;]++)(class|concession|infant|promo)(?:e?s)?(?:\s+code)?\s+", re.IGNORECASE
)
_PROMO_CODE = re.compile(r"[a-z0-9-]{3,20}", re.IGNORECASE | re.ASCII)
_NONE = ("", "none", "no", "-")


@dataclass(frozen=True)
class Extras:
    """The answers so far. None: not asked yet. An empty value: the party wants none.

    seat_class: the class for seats that are chosen by count; none: the cheapest. concessions, infants: in the
    order of the tickets; the last tickets may have none.
    """

    seat_class: str | None = None
    concessions: tuple[str | None, ...] | None = None
    infants: tuple[str | None, ...] | None = None
    promo_code: str | None = None

    def or_else(self, other: "Extras") -> "Extras":
        """These extras; what is not asked yet is taken from `other`."""
        said = {name: value for name, value in vars(self).items() if value is not None}
        return replace(other, **said)

    def passengers(self, passengers: list[Passenger] | None) -> list[Passenger] | None:
        """The passengers with their concessions and infants."""
        concessions, infants = self.concessions or (), self.infants or ()
        found = [*(passengers or [])]
        found += [Passenger()] * (max(len(concessions), len(infants)) - len(found))
        for n, concession in enumerate(concessions):
            found[n] = msgspec.structs.replace(found[n], concession=concession)
        for n, infant in enumerate(infants):
            found[n] = msgspec.structs.replace(found[n], infant=infant)
        return found or None

    def without_refused(self, refusal: Refusal) -> "Extras | None":
        """These extras without those that a refusal is about; None if it is about none of them."""
        match refusal.reason:
            case "unknown_class":
                return replace(self, seat_class=None)
            case "unknown_promo_code" | "promo_code_used_up":
                return replace(self, promo_code=None)
            case "unknown_concession":
                return replace(self, concessions=None, infants=None)
        about_party = refusal.data.get("field") == "passengers" and (self.concessions or self.infants)
        return replace(self, concessions=None, infants=None) if about_party else None


NO_EXTRAS = Extras()


def split_extras(typed: str) -> tuple[str, Extras]:
    """The text before the words about extras, and the extras. Raises InvalidInput for an impossible name."""
    before, *words = _KEYWORD.split(typed)
    said = {word.lower(): text.strip(" ,;") for word, text in zip(words[::2], words[1::2], strict=True)}
    return before, Extras(
        said.get("class"), _names(said.get("concession")), _names(said.get("infant")), said.get("promo")
    )  # fmt: skip


def offered(seat_map: Seats) -> str:
    """What plain text can add to the phone number on this trip; empty if there is nothing."""
    granted = [one.name for one in seat_map.concessions or [] if one.seat]
    texts = [
        f"concession {listed(granted, 'or')}" if granted else "",
        "infant NAME" if _takes_infants(seat_map) else "",
        "promo CODE" if seat_map.promo_codes else "",
    ]
    words = listed(filter(None, texts), "or") if any(texts) else ""
    return f"After the phone number, you can type: {words}." if words else ""


def ask_extras(seat_map: Seats, wanted: Wanted, known: Extras) -> Steps[Extras]:
    """Ask for what the service has, and is not known yet."""
    seat_class, promo_code = known.seat_class, known.promo_code
    concessions, infants = _at_most(wanted.count, known.concessions), _at_most(wanted.count, known.infants)
    classes = seat_map.classes or []
    if not wanted.numbers and any(one.name for one in classes[1:]):
        seat_class = yield ask_class(classes, classes[0].name or "others").known(seat_class)
    granted = [one for one in seat_map.concessions or [] if one.seat]
    if granted:
        concessions = yield _ask_concessions(granted, wanted.count).known(concessions)
    if _takes_infants(seat_map):
        infants = yield Ask(
            "Infants on laps (their names; Enter: none):", _in_order_of_seats(wanted.count, answers.name),
            "infants", "The name of each infant without a seat, in the order of the seats, with commas.",
        ).known(infants)  # fmt: skip
    if seat_map.promo_codes:
        promo_code = yield Ask(
            "Promo code (Enter: none):", _promo_code, "promo_code",
            "A code of the operator. It is for all tickets of the booking.",
        ).known(promo_code)  # fmt: skip
    return Extras(seat_class, concessions, infants, promo_code)


def fare_of_class(classes: Sequence[SeatClass] | None, seat_class: str | None, fare: str) -> str:
    """The fare of a seat of a class; `fare` if the class is not known."""
    return next((one.fare for one in classes or [] if seat_class and one.name == seat_class), fare)


def _takes_infants(seat_map: Seats) -> bool:
    return not all(one.seat for one in seat_map.concessions or [])


def ask_class(classes: Sequence[SeatClass], default: str) -> Ask:
    """The question for a class of seats. default: the class that Enter means, whose answer is empty."""
    named = {one.name: one.name for one in classes if one.name}
    fares = ", ".join(f"{one.name or 'others'} {money(one.fare)}" for one in classes)
    return Ask(
        f"Class ({fares}; Enter: {default}):",
        answers.with_default(answers.one_of(named), ""), "seat_class", "The class of the seats.",
        tuple(Choice(one.name, f"{money(one.fare)}, {one.seats_free} free") for one in classes if one.name),
    )  # fmt: skip


def _ask_concessions(granted: Sequence[Concession], count: int) -> Ask:
    names = {one.name: one.name for one in granted}
    parse_name = answers.one_of(names | {"none": ""}, dict.fromkeys(_NONE, ""))
    hint = "The concession of the passenger." if count == 1 else (
        f"In the order of the seats, with commas, such as: {granted[0].name}, none. The others have none."
    )  # fmt: skip
    return Ask(
        f"Concession ({', '.join(names)}; Enter: none):",
        _in_order_of_seats(count, lambda typed: parse_name(typed) or None), "concessions", hint,
        tuple(Choice(one.name, _about(one)) for one in granted),
    )  # fmt: skip


def _about(concession: Concession) -> str:
    """What a concession takes off, and for whom it is."""
    off = f"{concession.percent} %" if concession.percent else money(concession.amount or "0")
    ages = [f"from {concession.min_age}"] if concession.min_age else []
    ages += [f"up to {concession.max_age}"] if concession.max_age else []
    return f"{off} off" + (f", {' '.join(ages)} years" if ages else "")


def _in_order_of_seats(
    count: int, parse: Callable[[str], str | None]
) -> Callable[[str], tuple[str | None, ...]]:
    """A parser of texts with commas between them, at most one for each seat."""

    def parse_all(typed: str) -> tuple[str | None, ...]:
        if typed.lower() in _NONE:
            return ()
        found = tuple(parse(part.strip()) for part in typed.split(","))
        if len(found) > count:
            raise InvalidInput(
                f"You typed {len(found)} for {count} {plural('seat', range(count))}. "
                "Type at most one for each seat."
            )
        return found

    return parse_all


def _at_most(count: int, said: tuple[str | None, ...] | None) -> tuple[str | None, ...] | None:
    """These answers; None (not asked yet) if they are more than `count`, because the party is smaller now."""
    return said if said is not None and len(said) <= count else None


def _names(typed: str | None) -> tuple[str | None, ...] | None:
    """Names with commas between them; "none" for no name. None: not said."""
    if typed is None:
        return None
    parts = (part.strip() for part in typed.split(","))
    return tuple(None if part.lower() in _NONE else answers.name(part) for part in parts)


def _promo_code(typed: str) -> str:
    if typed.lower() in _NONE:
        return ""
    if not _PROMO_CODE.fullmatch(typed):
        raise InvalidInput(f"{quoted(typed)} is not a promo code, such as DIWALI-25. Enter: none.")
    return typed
