"""Limits on holds and waitlist entries: how much an account or an address may have at once without payment.

A traveller who is signed in counts for the account and for the address, because accounts cost nothing. A
limit for each phone number would let strangers use up the limit of its owner, because nobody proves that a
phone number is theirs. The database counts: sql/25_hold_limits.sql.
"""

from busware.server.addresses import limited_subject
from busware.server.booking.permissions import COUNTERS
from busware.server.db.writer import HoldLimit
from busware.server.protocol import Caller
from busware.server.settings import Settings


def limits_on_holds(caller: Caller, settings: Settings) -> tuple[HoldLimit, ...]:
    """The limits for a caller: none for operators and agents, who sell at a counter."""
    if caller.role in COUNTERS:
        return ()
    percent = settings.hold_share_percent
    limits = []
    if caller.account:
        account_subject = f"account:{caller.account}"
        limits.append(
            HoldLimit(account_subject, settings.holds_per_account, settings.held_seats_per_account, percent)
        )
    address_subject = limited_subject(caller.address, settings)
    if address_subject is not None:
        limits.append(
            HoldLimit(address_subject, settings.holds_per_address, settings.held_seats_per_address, percent)
        )
    return tuple(limits)
