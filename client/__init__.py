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

import server  # noqa: F401 - first, since it says so where something is not installed
from client.connection import Connection, ConnectionLost
from client.doors import Client, connect
from server.codec import RpcError
from server.wire import Refusal

__all__ = ["Client", "Connection", "ConnectionLost", "Refusal", "RpcError", "connect"]
