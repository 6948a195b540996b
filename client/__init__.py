"""The client: an SDK for programs, and commands for people.

    with connect("127.0.0.1", 9999) as busware:
        for trip in busware.search("Bengaluru", "Mysuru", date(2026, 12, 5)):
            print(trip.departs_at, trip.name, trip.fare)
        busware.login("asha", password)
        print(*busware.bookings(current=True))

connection: one socket, call(request) → reply, sent again when it breaks. web: the same over HTTP, for
connect("https://…"). sdk: the requests as methods. doors: connect(). hotel: the hotel's desk. days: what
a date means, where the service is. commands: the command line, arguments → request. render: reply → text
for people. terminal: the traveller's, with asking (the prompt), screen, seatmap and ticket. __main__: a
command, from arguments to exit status.
"""

from importlib.util import find_spec

if find_spec("busware") is None or find_spec("msgspec") is None:  # a checkout without its environment
    raise SystemExit("busware: this Python lacks what Busware needs. Use scripts/python, which installs it.")

from busware.connection import Connection, ConnectionLost
from busware.factory import Client, connect
from busware.server.protocol import Refusal
from busware.server.protocol.jsonrpc import RpcError

__all__ = ["Client", "Connection", "ConnectionLost", "Refusal", "RpcError", "connect"]
