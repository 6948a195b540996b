"""The client of Busware: an SDK for programs, synchronous and asynchronous, and commands for people.

    with connect("127.0.0.1", 9999) as busware:
        for trip in busware.search("Bengaluru", "Mysuru", date(2026, 12, 5)):
            print(trip.departs_at, trip.name, trip.fare)
        busware.login("asha", password)
        print(*busware.bookings(current=True))

The SDK. scripts/generate makes NAME.py from async_NAME.py:

  async_factory      connect_async() → connect()
  async_sdk          a method for each request          async_http_client  the same over HTTP
  async_connection   one connection, requests sent again
  async_links  async_http_link   sockets, for asyncio   links  http_link   sockets, for threads
  retries            limits, keys, ConnectionLost       http_messages      requests as HTTP has them

The commands:

  __main__           from arguments to an exit status   commands           the command line → a request
  render             a reply → text for people          dates              a date, in the service's time zone
  terminal           the traveller's terminal           prompts            its questions
  screen  seatmap  ticket   what it draws               hotel              the guest's terminal of the hotel
"""

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if find_spec("busware") is None or find_spec("msgspec") is None:  # a checkout without its environment
    raise SystemExit("busware: this Python lacks what Busware needs. Use scripts/python, which installs it.")

from busware.factory import connect
from busware.retries import ConnectionLost
from busware.sdk import Client
from busware.server.protocol import (
    Booking,
    OperatedTrip,
    Passenger,
    Place,
    Pong,
    Quote,
    Refusal,
    Seat,
    Seats,
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
    "AsyncClient", "Booking", "Client", "ConnectionLost", "OperatedTrip", "Passenger", "Place", "Pong",
    "Quote", "Refusal", "RpcError", "Seat", "Seats", "Session", "Ticket", "Trip", "TripManifest",
    "connect", "connect_async",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    """The asynchronous client, loaded by its first use: a synchronous program need not wait for asyncio."""
    if name == "connect_async":
        from busware.async_factory import connect_async

        return connect_async
    if name == "AsyncClient":
        from busware.async_sdk import AsyncClient

        return AsyncClient
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
