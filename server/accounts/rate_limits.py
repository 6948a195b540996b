"""Rate limits for failed credentials: passwords by account, references by booking, and both by address.

Failures are counted in the table `attempts`, so the limits hold for all processes and servers together.

A subject is an account, a booking, a phone number or an address. Before a booking is opened, the table is
read only if a subject of the request has failed in this process. So a request without earlier failures needs
no query, but an attacker gets one more attempt in each further process. Before a password is compared, the
table is always read, because the query costs little compared with the hash.
"""

import ipaddress
import threading
from collections import OrderedDict
from math import ceil

from busware.server.db.pool import Pool
from busware.server.protocol import Refusal
from busware.server.settings import Settings

_MAX_FAILED_SUBJECTS = 10_000
_IPV6_PREFIX_BITS = 64  # the network that a provider gives to a customer

_COUNT = "SELECT * FROM api.attempts(%s, make_interval(secs => %s))"
_RECORD_FAILURE = "SELECT api.note_attempts(%s)"


class RateLimiter:
    """Counts failures by subject: `account:…`, `booking:…`, `phone:…` or `address:…`."""

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
        self._failed: OrderedDict[str, None] = OrderedDict()  # subjects with a failure in this process

    def check_if_failed_before(self, *subjects: str) -> None:
        """Check the subjects that have failed in this process. Raises Refusal (not_allowed)."""
        failed = [subject for subject in subjects if subject in self._failed]
        if failed:
            self.check(*failed)

    def check(self, *subjects: str) -> None:
        """Raises Refusal (not_allowed) if one of the subjects has reached its limit."""
        for subject, attempts, seconds_left in self._pool.execute(_COUNT, (list(subjects), self._seconds)):
            limit = self._limits[subject.partition(":")[0]]
            if attempts >= limit:
                seconds = max(1, ceil(seconds_left))
                wait = f"{seconds} s" if seconds < 120 else f"{ceil(seconds / 60)} minutes"
                message = f"Too many wrong attempts: try again in {wait}."
                raise Refusal("not_allowed", message, limit=limit, retry_after=seconds)

    def record_failure(self, *subjects: str) -> None:
        """Count a failure of each subject."""
        with self._lock:
            self._failed.update(dict.fromkeys(subjects))
            while len(self._failed) > _MAX_FAILED_SUBJECTS:
                self._failed.popitem(last=False)
        self._pool.execute(_RECORD_FAILURE, (list(subjects),))


def address_subject(address: str) -> str:
    """The subject of an address. For IPv6 it is the network, because a customer has many addresses."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return f"address:{address}"
    if isinstance(ip, ipaddress.IPv6Address):
        ip = ip.ipv4_mapped or ipaddress.IPv6Network((ip, _IPV6_PREFIX_BITS), strict=False).network_address
    return f"address:{ip}"
