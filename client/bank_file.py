"""The command `bank-file`: settle the manual payments in a bank's file of transfers.

The file is checked as a whole: with a fault, nothing is settled. Each line says what it would do before it is
done. The same file again changes nothing, because each transfer in it has an identity.
"""

from pathlib import Path

from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server.command_line import confirmed
from busware.server.conversation.payments import outcome_line
from busware.server.conversation.words import counted
from busware.server.documents import bank_transfers
from busware.server.documents.bank_transfers import FaultyFile, Transfer
from busware.server.output import DONE, complain, show
from busware.server.protocol import PaymentOutcome, Refusal

REFUSED, NO_ANSWER = 1, 3  # exit statuses, as of the other commands


def run(path: Path, client: Client, *, plan: bool, asks: bool) -> int:
    """Settle the payments of a file; returns the exit status. plan: only show what that would do.

    asks: whether to ask before. Raises Refusal and ConnectionLost, as `settle_payment` does.
    """
    try:
        transfers = bank_transfers.read(path)
        planned = bank_transfers.outcomes(transfers, lambda transfer: _settle(transfer, client, plan=True))
    except FaultyFile as error:
        complain(str(error), f"{counted(len(error.faults), 'fault')}. Nothing was settled.")
        return REFUSED
    for transfer, outcome in planned:
        if isinstance(outcome, Refusal):
            show(f"Line {transfer.line} is skipped: {outcome.message}")
        else:
            show(f"Line {transfer.line}: {outcome_line(outcome, plan=True)}")
    new = [one.transfer for one in planned if one.is_new]
    show(f"{counted(len(planned), 'line')}, {len(new)} of them new.")
    if plan or not new:
        return DONE
    if asks and not confirmed(f"Settle {counted(len(new), 'payment')}?", ""):
        complain("Nothing was settled.")
        return REFUSED
    return _apply(new, client)


def _apply(transfers: list[Transfer], client: Client) -> int:
    """Settle the transfers, one after the other."""
    for done, transfer in enumerate(transfers):
        try:
            outcome = _settle(transfer, client, plan=False)
        except (Refusal, ConnectionLost) as error:
            complain(
                f"Line {transfer.line} is not settled: {error}",
                f"{done} of {len(transfers)} are settled. Repeat the command for the others.",
            )
            return NO_ANSWER if isinstance(error, ConnectionLost) else REFUSED
        show(f"Line {transfer.line}: {outcome_line(outcome)}")
    return DONE


def _settle(transfer: Transfer, client: Client, *, plan: bool) -> PaymentOutcome:
    return client.settle_payment(
        transfer.payment,
        transfer.amount,
        transfer.currency,
        receipt=transfer.receipt,
        fee=transfer.fee,
        plan=plan,
    )
