"""The client of Busware: an SDK for programs, synchronous and asynchronous, and the command `busware`.

    with connect("127.0.0.1", 9999) as busware:
        for trip in busware.search("Bengaluru", "Mysuru", date(2026, 12, 5)):
            print(trip.departs_at, trip.name, trip.fare)
        busware.login("asha", password)
        print(*busware.bookings(current=True))

The SDK. scripts/generate makes NAME.py from async_NAME.py, except for transport and http_transport:

  async_factory      connect_async()
  async_sdk          a method for each request
  async_operator_sdk the methods for operators       async_webhook_sdk    those about webhooks
  async_connection   sign-in, repeated requests
  async_transport    one TCP connection              transport    the same, with threads
  async_http_client  the requests over HTTP
  async_http_transport  one HTTP connection          http_transport    the same, with threads
  retries            limits, keys, ConnectionLost    http_messages    requests and errors in HTTP

The command:

  __main__    runs a command line                    commands     from the command line to a request
  arguments   how each argument is read              tables       the tables of replies
  preview     what it is going to change             render       replies as text
  dates       dates in the server's time zone
  terminal    the terminal client                    prompts      its questions
  screen      its replies                            seatmap, ticket    drawings
  hotel       the terminal client of the hotel       seatkeys     the keys on the seat map
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

# They are missing if this is run in a checkout by another Python than that of .venv.
if find_spec("busware") is None or find_spec("msgspec") is None:
    raise SystemExit("busware is not installed in this Python. Use scripts/python, which installs it.")

from busware.factory import connect
from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server.protocol import (
    AlightingStop,
    Booking,
    OperatedTrip,
    Passenger,
    Place,
    Pong,
    Quote,
    Refusal,
    Seat,
    Seats,
    SentNotice,
    Session,
    Ticket,
    Trip,
    TripManifest,
)
from busware.server.protocol.jsonrpc import RpcError

if TYPE_CHECKING:
    from busware.async_factory import connect_async
    from busware.async_sdk import AsyncClient

__all__ = [
    "AlightingStop", "AsyncClient", "Booking", "Client", "ConnectionLost", "OperatedTrip", "Passenger",
    "Place", "Pong", "Quote", "Refusal", "RpcError", "Seat", "Seats",
    "SentNotice", "Session", "Ticket", "Trip",
    "TripManifest", "connect", "connect_async",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """Import the asynchronous client at its first use: synchronous programs do not need asyncio."""
    if name in ("AsyncClient", "connect_async"):
        from busware import async_factory

        return getattr(async_factory, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
