"""Settles the manual payments in a bank's file of transfers, after a plan of each line.

The text of the file is a field of the form: a script puts the chosen file there, and without it the text is
pasted. Each transfer has an identity and an idempotency key, so the same file again changes nothing.
"""

from collections import Counter

from starlette.responses import Response

from busware.server import protocol
from busware.server.documents import bank_transfers
from busware.server.documents.bank_transfers import FaultyFile, Outcome, Transfer
from busware.server.pages import refusals
from busware.server.pages.operator import frame, payments
from busware.server.pages.operator.sales import PATH as SALES
from busware.server.pages.visits import Table, Visit
from busware.server.protocol import PaymentOutcome, Refusal

PATH = f"{payments.PATH}/bank-file"
SKIPPED = "skipped"  # the outcome of a transfer that is not for a payment of the operator


def show_file(visit: Visit, planned: list[Outcome] | None = None) -> Response:
    """The form for a file; with a plan, what each of its lines would do."""
    counts = {name: visit.whole_number(name, 0) for name in (*payments.OUTCOMES, SKIPPED)}
    return frame.render(
        visit,
        "operator_bank_file.html",
        SALES,
        planned=planned,
        outcomes=payments.OUTCOMES,
        done=visit.query.get("done", [""])[0],
        counts=counts,
        text_of=lambda refusal: refusals.text(refusal, visit.language),
        columns=", ".join(bank_transfers.COLUMNS),
        faults=visit.refusal.data.get("faults", []) if visit.refusal else [],
    )


def settle(visit: Visit) -> Response:
    """Plan the settlement of the transfers in a file, or settle them."""
    try:
        transfers = bank_transfers.parse(visit.value("file"))
        if not transfers:
            raise FaultyFile(["The file has no transfer."])
        if visit.value("do") != "apply":
            return show_file(visit, _settle_each(visit, transfers, plan=True))
        settled = _settle_each(visit, transfers, plan=False)
    except FaultyFile as error:
        message = "The file has faults. Nothing was settled."
        raise Refusal("bad_request", message, field="file", faults=error.faults) from None
    outcomes = (one.outcome for one in settled)
    counts = Counter(SKIPPED if isinstance(one, Refusal) else one.outcome for one in outcomes)
    return visit.see(PATH, {"done": "settled", **counts})


def _settle_each(visit: Visit, transfers: list[Transfer], *, plan: bool) -> list[Outcome]:
    return bank_transfers.outcomes(transfers, lambda transfer: _settle(visit, transfer, plan=plan))


def _settle(visit: Visit, transfer: Transfer, *, plan: bool) -> PaymentOutcome:
    outcome: PaymentOutcome = visit.request(
        protocol.SettlePayment,
        payment=transfer.payment,
        amount=transfer.amount,
        currency=transfer.currency,
        receipt=transfer.receipt,
        fee=transfer.fee or "",
        plan=plan,
        key="" if plan else visit.key(transfer.receipt),
    )
    return outcome


PAGES: Table = {PATH: frame.operator_page(show_file, settle)}
