"""Event streams: a seat map, a booking or a day's trips, sent again after each change (server-sent events).

A stream reads what the plain GET would read, first when it begins and then after each change notification
for its trips (server/db/listener.py), and sends a reply that differs from its last event. Notifications may
be lost, so it also reads every reread_seconds; if nothing has changed it sends a comment, which keeps the
connection alive. A refusal (the token was revoked) or an internal error is the last event.
"""

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import StreamingResponse

from busware.server.addresses import limited_subject
from busware.server.db.listener import ChangeNotification, Listener, Trip
from busware.server.http import problems
from busware.server.http.executor import Executor, address_of
from busware.server.http.routes import Resource
from busware.server.protocol import GetBooking, Refusal, SeatMap

EVENT_STREAM = "text/event-stream"
EVENT_NAMES = {GetBooking: "booking", SeatMap: "seats"}  # of the resources that have event streams

_RECONNECT = b"retry: 2000\n\n"  # milliseconds until a client that lost the stream reconnects
_UNCHANGED = b": unchanged\n\n"
_HEADERS = {"X-Accel-Buffering": "no"}


class _TripFields(msgspec.Struct):
    """The part of a reply that names its trip, or its trips if it is a list."""

    bus_id: int | None = None
    travel_date: str | None = None
    trips: list["_TripFields"] = []

    def named(self) -> frozenset[Trip]:
        """The trips."""
        if self.bus_id is not None and self.travel_date is not None:
            return frozenset({(self.bus_id, self.travel_date)})
        return frozenset[Trip]().union(*(trip.named() for trip in self.trips))


class _Subscription:
    """The trips and the client of one stream. changed: the trips may have changed since the last reading."""

    def __init__(self, body: bytes, subject: str | None) -> None:
        self.trips = frozenset[Trip]()
        self.subject = subject  # what the limit for each address counts: limited_subject(address)
        self.changed = asyncio.Event()
        self.follow(body)

    def follow(self, body: bytes) -> None:
        """Follow the trips of a reply. A booking may have moved to another trip."""
        trips = msgspec.json.decode(body, type=_TripFields).named()
        if trips != self.trips:
            self.trips = trips
            self.changed.set()  # they may have changed before their first notification


class EventStreams:
    """The event streams of this process. Without a listener they only read periodically."""

    def __init__(self, executor: Executor, listener: Listener | None) -> None:
        self._executor = executor
        self._settings = executor.settings
        # Weak references, because a response that is never sent never reaches `finally` in _events.
        self._subscriptions = weakref.WeakSet[_Subscription]()
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

    def accepts(self, resource: Resource, http: HttpRequest) -> bool:
        """Whether a request asks for the event stream of its resource."""
        accepted = http.headers.get("accept", "")
        return http.method == "GET" and resource.request_type in EVENT_NAMES and EVENT_STREAM in accepted

    async def stream(self, resource: Resource, http: HttpRequest) -> StreamingResponse:
        """Begin the event stream of a resource. Raises Refusal: busy, or that of the first reading."""
        request = self._executor.parse(resource, http)

        def read() -> bytes:
            return self._executor.perform(request, self._executor.caller(http, request))

        return await self.stream_of(EVENT_NAMES[type(request)], http, read)

    async def stream_of(self, name: str, http: HttpRequest, read: Callable[[], bytes]) -> StreamingResponse:
        """Begin an event stream. Raises as `stream`.

        name: of its events. read: returns JSON that has the bus_id and the travel_date of a trip, or `trips`.
        """
        subject = limited_subject(address_of(http), self._settings)
        self._check_limits(subject)
        first = await self._executor.run(http, read)
        subscription = _Subscription(first, subject)
        self._check_limits(subject)  # other streams may have begun during the reading
        self._subscriptions.add(subscription)
        events = self._events(http, subscription, name, first, read)
        return StreamingResponse(events, headers=_HEADERS, media_type=EVENT_STREAM)

    def _check_limits(self, subject: str | None) -> None:
        """Raises Refusal (busy) if there are too many streams, in all or of this subject."""
        if len(self._subscriptions) >= self._settings.event_streams:
            raise Refusal("busy", "There are too many event streams: nothing was done, try again.")
        count = sum(subscription.subject == subject for subscription in self._subscriptions)
        if subject is not None and count >= self._settings.event_streams_per_address:
            raise Refusal(
                "busy", "There are too many event streams from this address: nothing was done, try again."
            )

    async def _events(
        self,
        http: HttpRequest,
        subscription: _Subscription,
        name: str,
        body: bytes,
        read: Callable[[], bytes],
    ) -> AsyncIterator[bytes]:
        try:
            yield _RECONNECT + _event(name, body)
            while True:  # until a reading is refused, as every reading is while the server drains
                await asyncio.sleep(self._settings.event_pause_ms / 1000)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.reread_seconds):
                        await subscription.changed.wait()
                subscription.changed.clear()
                last, body = body, await self._executor.run(http, read)
                subscription.follow(body)
                yield _UNCHANGED if body == last else _event(name, body)
        except Exception as error:  # noqa: BLE001 - problems.of_error logs it
            yield _event("problem", problems.of_error(http, error).body)
        finally:
            self._subscriptions.discard(subscription)

    def _receive(self, notification: ChangeNotification) -> None:
        for subscription in self._subscriptions:
            if notification.everything or not subscription.trips.isdisjoint(notification.trips):
                subscription.changed.set()


def _event(name: str, body: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), body)
