"""Reports the state of this process to systemd, for a unit with Type=notify: the protocol of sd_notify(3).

A state is a datagram to the Unix socket that the environment names in NOTIFY_SOCKET. Without this variable,
systemd does not wait for a report, and nothing is sent.
"""

import logging
import os
import socket

log = logging.getLogger("busware")

READY = "READY=1"  # the start is complete
STOPPING = "STOPPING=1"  # the stop has begun

_SEND_SECONDS = 1.0  # how long a report may take


class Reports:
    """Sends reports to systemd.

    Removes NOTIFY_SOCKET from the environment: a child process that inherits it, such as a PostgreSQL of
    Debian, would report that it is ready.
    """

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")

    def send(self, state: str) -> None:
        """Report READY or STOPPING. A report that cannot be sent is logged."""
        if not self._address:
            return
        name = self._address.removeprefix("@")
        address = name if name == self._address else f"\0{name}"  # an abstract socket
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as reports:
                reports.settimeout(_SEND_SECONDS)
                reports.connect(address)
                reports.sendall(state.encode())
        except OSError as error:
            log.warning("systemd does not receive %s at %s: %s.", state, self._address, error)
