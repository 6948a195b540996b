"""The transfers in a bank's files, as records to compare: what has come in, and what was paid out."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

import msgspec

from busware.server.documents.bank_transfers import Transfer
from busware.server.reconciliation.records import Record


def records(transfers: Iterable[Transfer]) -> Iterator[Record]:
    """A record for each line of a file. Its id is what identifies the transfer, as for `bank-file`."""
    for transfer in transfers:
        yield Record(
            kind="payment",
            id=transfer.receipt,
            reference=transfer.payment,
            at_provider=f"line {transfer.line}",
            amount=Decimal(transfer.amount),
            currency=transfer.currency,
            state="succeeded",
        )


def paid_out(transfers: Iterable[Transfer]) -> Iterator[Record]:
    """A refund for each line of a file of outgoing transfers. A line names the booking, or its payment."""
    for record in records(transfers):
        booking = (record.reference or "").partition("-")[0]
        yield msgspec.structs.replace(record, kind="refund", reference=booking)


def with_receipts(ours: Iterable[Record], theirs: Iterable[Record]) -> list[Record]:
    """Our records; one that was settled by hand gets the receipt of its transfer, if the file has it.

    ours: `id` is the receipt, None if there is none yet; `at_provider` is what the payer had to write on the
    transfer.
    """
    ours = list(ours)
    known = {record.id for record in ours}
    left = [record for record in theirs if record.id not in known]
    found = []
    for our in ours:
        mine = (our.at_provider, our.amount, our.currency)
        same = (t for t in left if our.id is None and (t.reference, t.amount, t.currency) == mine)
        if their := next(same, None):
            left.remove(their)
            found.append(msgspec.structs.replace(our, id=their.id))
        else:
            found.append(our)
    return found
