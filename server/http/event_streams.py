"""Event streams: a seat map or a booking, sent again whenever it changes (server-sent events).

A stream reads what the plain GET would read, first when it begins and then after each change notification
for its trip (server/db/listener.py), and sends what differs from its last event. Notifications may be lost,
so it also reads every reread_seconds; if nothing has changed it sends a comment, which keeps the connection
alive. A refusal (the token was revoked) is the last event.
"""

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import msgspec
from litestar.response import Stream

from busware.server.db.listener import ChangeNotification, Listener, Trip
from busware.server.http import problems
from busware.server.http.executor import Executor, Http
from busware.server.http.routes import Resource
from busware.server.protocol import GetBooking, Refusal, SeatMap
from busware.server.settings import Settings

log = logging.getLogger("busware.http_client")

EVENT_STREAM = "text/event-stream"
EVENT_NAMES = {GetBooking: "booking", SeatMap: "seats"}  # of the resources that have event streams

_RETRY = b"retry: 2000\n\n"  # milliseconds until a client that lost the stream reconnects
_UNCHANGED = b": nothing new\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _OfTrip(msgspec.Struct):
    bus_id: int
    travel_date: str


class _Subscription:
    """What one stream follows: its trip, and whether the trip may have changed since the last reading."""

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.changed = asyncio.Event()
        self.changed.set()  # it may have, between the first reading and the first notification


class Events:
    """The event streams of this process. Without a listener they only read periodically."""

    def __init__(self, executor: Executor, settings: Settings, listener: Listener | None) -> None:
        self._executor = executor
        self._max_streams = settings.event_streams
        self._pause_seconds = settings.event_pause_ms / 1000
        self._reread_seconds = settings.reread_seconds
        self._subscriptions = weakref.WeakSet[_Subscription]()  # weak: a stream that never begins never ends
        self._unsubscribe: Callable[[], None] = lambda: None
        self._listener = listener

    def start(self) -> None:
        """Subscribe to change notifications; called on the event loop of the server."""
        loop = asyncio.get_running_loop()

        def receive(notification: ChangeNotification) -> None:
            loop.call_soon_threadsafe(self._receive, notification)

        if self._listener is not None:
            self._unsubscribe = self._listener.subscribe(receive)

    def stop(self) -> None:
        """End every stream; called on the event loop of the server, once the server is draining."""
        self._unsubscribe()
        self._receive(ChangeNotification(everything=True))

    async def stream(self, resource: Resource, http: Http) -> Stream:
        """Begin the event stream of a resource. Raises Refusal: busy, or that of the first reading."""
        self._check_limit()
        read = self._reader(resource, http)
        first = await self._executor.run(read)
        fields = {**http.path_params} if resource.kind is SeatMap else msgspec.json.decode(first)
        trip = msgspec.convert(fields, _OfTrip, strict=False)
        subscription = _Subscription((trip.bus_id, trip.travel_date))
        self._check_limit()  # other streams may have begun during the reading
        self._subscriptions.add(subscription)
        events = self._events(subscription, EVENT_NAMES[resource.kind], first, read)
        return Stream(events, media_type=EVENT_STREAM, headers=_HEADERS)

    def _check_limit(self) -> None:
        if len(self._subscriptions) >= self._max_streams:
            raise Refusal("busy", "There are too many event streams: nothing was done, try again.")

    async def _events(
        self, subscription: _Subscription, name: str, body: bytes, read: Callable[[], bytes]
    ) -> AsyncIterator[bytes]:
        try:
            yield _RETRY + _event(name, body)
            while True:  # until a reading is refused, which draining does too
                await asyncio.sleep(self._pause_seconds)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._reread_seconds):
                        await subscription.changed.wait()
                subscription.changed.clear()
                last, body = body, await self._executor.run(read)
                yield _UNCHANGED if body == last else _event(name, body)
        except Refusal as refusal:
            yield _event("problem", problems.of_refusal(refusal).body)
        finally:
            self._subscriptions.discard(subscription)

    def _reader(self, resource: Resource, http: Http) -> Callable[[], bytes]:
        """A function that reads the resource for the caller, in a worker thread. It raises Refusal."""
        query = http.scope["query_string"].decode("latin-1")
        request = resource.request(http.path_params, query, b"", None)

        def read() -> bytes:
            answer = self._executor.perform(request, http)
            if answer.refused:
                raise answer.refusal()
            return bytes(answer.body)

        return read

    def _receive(self, notification: ChangeNotification) -> None:
        for subscription in self._subscriptions:
            if notification.everything or subscription.trip in notification.trips:
                subscription.changed.set()


def wanted(resource: Resource, http: Http) -> bool:
    """Whether a request asks for an event stream of its resource."""
    return resource.kind in EVENT_NAMES and EVENT_STREAM in http.headers.get("accept", "")


def _event(name: str, body: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), body)
