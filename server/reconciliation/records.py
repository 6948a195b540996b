"""The records that one side has of payments and refunds, and the differences between two sides."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Literal

from msgspec import Struct

from busware.server.protocol.currencies import round_amount

State = Literal["open", "succeeded", "failed", "cancelled", "paid back by hand"]


class Record(Struct, frozen=True, kw_only=True):
    """The record that one side, the database or the provider, has of a payment or a refund.

    id: the id in Busware, which the provider stores with its record; None: the provider's record has none.
    at_provider: the id at the provider. state: open, while the payment or the refund may still succeed.
    expected: whether it is a difference if the other side has no such record.
    """

    kind: Literal["payment", "refund"]
    id: str | None
    reference: str | None  # of the booking
    at_provider: str | None
    amount: Decimal
    currency: str
    state: State
    expected: bool = True

    @property
    def full_amount(self) -> Decimal:
        """The amount with all decimals of its currency. A bank's file may leave out those that are 0."""
        return self.amount + round_amount(Decimal(0), self.currency)

    def __str__(self) -> str:
        return f"{self.full_amount} {self.currency}, {self.state}"


class Difference(Struct, frozen=True, kw_only=True):
    """A payment or a refund whose records differ. ours, theirs: the records; None: that side has none."""

    problem: Literal["missing here", "missing there", "other amount", "other state", "twice there"]
    ours: Record | None = None
    theirs: Record | None = None

    @property
    def known(self) -> Record:
        """The record of the provider; if the provider has none, ours."""
        record = self.theirs or self.ours
        assert record  # noqa: S101 - one of them is given
        return record


def compare(ours: Iterable[Record], theirs: Iterable[Record]) -> Iterator[Difference]:
    """The differences between the records with the same id of Busware, and the records without a counterpart.

    Both sides have the records of the same period and of the same provider. A provider may have several
    refunds with one id, because Busware tries a failed refund again: the one that has not failed counts.
    """
    there: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in theirs:
        if record.id is not None:
            there[record.kind, record.id].append(record)
        elif record.state == "succeeded":
            yield Difference(problem="missing here", theirs=record)
    for our in ours:
        found = there.pop((our.kind, our.id or ""), [])
        yield from _compare_one(our, found)
    for records in there.values():
        yield from (Difference(problem="missing here", theirs=record) for record in records)


def _compare_one(our: Record, found: list[Record]) -> Iterator[Difference]:
    """The differences between our record and those of the provider with its id."""
    alive = [record for record in found if record.state in ("open", "succeeded")]
    if len(alive) > 1:
        yield from (Difference(problem="twice there", ours=our, theirs=record) for record in alive)
    elif found:
        (*_, their) = alive or found
        state_there = "failed" if our.state == "paid back by hand" else our.state
        if (our.amount, our.currency) != (their.amount, their.currency):
            yield Difference(problem="other amount", ours=our, theirs=their)
        elif their.state != state_there:
            yield Difference(problem="other state", ours=our, theirs=their)
    elif our.expected:
        yield Difference(problem="missing there", ours=our)
