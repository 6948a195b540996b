"""How often somebody may be wrong: passwords by account, references by booking, and both by address.

What was wrong of late is a table of the database (`attempts`), so that the limits hold for all the
processes and servers together. Most callers are never wrong, and cost nothing: a booking is opened
without a look at the table unless this process has seen its subject go wrong before. So an attacker
gains one attempt for each further process, and no more. Passwords are looked up every time, which is
little beside the cost of a hash.
"""

import ipaddress
import threading
from collections import OrderedDict
from math import ceil

from busware.server.db.pool import Pool
from busware.server.protocol import Refusal
from busware.server.settings import Settings

_SUBJECTS_REMEMBERED = 10_000  # that went wrong in this process
_IPV6_NETWORK = 64  # bits: what one customer of a provider has

_COUNT = "SELECT * FROM api.attempts(%s, make_interval(secs => %s))"
_RECORD_FAILURE = "SELECT api.note_attempts(%s)"


class RateLimiter:
    """The limits, by subject: `account:…`, `booking:…`, `phone:…` or `address:…`."""

    def __init__(self, pool: Pool, settings: Settings) -> None:
        self._pool = pool
        self._seconds = settings.attempt_minutes * 60
        self._limits = {
            "account": settings.attempts_per_account,
            "booking": settings.attempts_per_booking,
            "phone": settings.attempts_per_booking,
            "address": settings.attempts_per_address,
        }
        self._lock = threading.Lock()
        self._suspects: OrderedDict[str, None] = OrderedDict()  # the latest last

    def check_if_suspect(self, *subjects: str) -> None:
        """As `check`, for those that were wrong before in this process; the others may go on."""
        if self._suspects and (known := [one for one in subjects if one in self._suspects]):
            self.check(*known)

    def check(self, *subjects: str) -> None:
        """Raises Refusal (not_allowed) when one of the subjects was wrong too often of late."""
        for subject, attempts, seconds_left in self._pool.execute(_COUNT, (list(subjects), self._seconds)):
            limit = self._limits[subject.partition(":")[0]]
            if attempts >= limit:
                wait = max(1, ceil(seconds_left))
                message = f"Too many wrong attempts: try again in {_in_words(wait)}."
                raise Refusal("not_allowed", message, limit=limit, retry_after=wait)

    def record_failure(self, *subjects: str) -> None:
        """Each of these was wrong once."""
        with self._lock:
            for subject in subjects:
                self._suspects[subject] = None
                self._suspects.move_to_end(subject)
            while len(self._suspects) > _SUBJECTS_REMEMBERED:
                self._suspects.popitem(last=False)
        self._pool.execute(_RECORD_FAILURE, (list(subjects),))


def address_subject(address: str) -> str:
    """The subject that an address belongs to: itself, or its network where one person has many."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address}"
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Network((ip, _IPV6_NETWORK), strict=False).network_address
    return f"address:{ip}"


def _in_words(seconds: int) -> str:
    return f"{seconds} s" if seconds < 120 else f"{ceil(seconds / 60)} minutes"
