"""Streams of what changes: a seat map or a booking, watched (server-sent events).

A stream reads what the plain GET would read, when it begins and then whenever a hint says that the trip has
changed (server/db/listener.py), and sends it when it is not what it sent last. Hints may be lost: with or
without one it reads again every reread_seconds, and says that it is still there. What is refused on the way
(the token was revoked) is its last event.
"""

import asyncio
import logging
import weakref
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import msgspec
from litestar.response import Stream

from busware.server.db.listener import Hint, Notices, Trip
from busware.server.http import problems
from busware.server.http.executor import Door, Http
from busware.server.http.routes import Resource
from busware.server.protocol import GetBooking, Refusal, SeatMap
from busware.server.settings import Settings

log = logging.getLogger("busware.http_client")

EVENT_STREAM = "text/event-stream"
WATCHED = {GetBooking: "booking", SeatMap: "seats"}  # what can be, and the name of its events

_RETRY = b"retry: 2000\n\n"  # milliseconds until a client that lost the stream comes again
_STILL_HERE = b": nothing new\n\n"
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class _OfTrip(msgspec.Struct):
    bus_id: int
    travel_date: str


class _Watch:
    """One stream: of which trip, and whether there is something to read."""

    def __init__(self, trip: Trip) -> None:
        self.trip = trip
        self.changed = asyncio.Event()
        self.changed.set()  # something may have, between the first reading and the first hint


class Events:
    """The streams of this process. Without notices there are no hints, only the looks from time to time."""

    def __init__(self, door: Door, settings: Settings, notices: Notices | None) -> None:
        self._door = door
        self._most = settings.event_streams
        self._pause = settings.event_pause_ms / 1000
        self._reread = settings.reread_seconds
        self._watches = weakref.WeakSet[_Watch]()  # weak: a stream that is never begun never ends
        self._unsubscribe: Callable[[], None] = lambda: None
        self._notices = notices

    def start(self) -> None:
        """Begin to hear; called on the loop that serves."""
        loop = asyncio.get_running_loop()

        def hear(hint: Hint) -> None:
            loop.call_soon_threadsafe(self._hear, hint)

        if self._notices is not None:
            self._unsubscribe = self._notices.subscribe(hear)

    def stop(self) -> None:
        """End every stream; called on the loop that serves, once the door is draining."""
        self._unsubscribe()
        self._hear(Hint(everything=True))

    async def stream(self, resource: Resource, http: Http) -> Stream:
        """Watch a resource. Raises Refusal (busy, or whatever the first reading is refused for)."""
        self._check_room()
        read = self._reader(resource, http)
        first = await self._door.run(read)
        told = {**http.path_params} if resource.kind is SeatMap else msgspec.json.decode(first)
        trip = msgspec.convert(told, _OfTrip, strict=False)
        watch = _Watch((trip.bus_id, trip.travel_date))
        self._check_room()  # others may have come while it was read
        self._watches.add(watch)
        events = self._events(watch, WATCHED[resource.kind], first, read)
        return Stream(events, media_type=EVENT_STREAM, headers=_HEADERS)

    def _check_room(self) -> None:
        if len(self._watches) >= self._most:
            raise Refusal("busy", "There are too many event streams: nothing was done, try again.")

    async def _events(
        self, watch: _Watch, name: str, body: bytes, read: Callable[[], bytes]
    ) -> AsyncIterator[bytes]:
        try:
            yield _RETRY + _event(name, body)
            while True:  # draining, too, is what a reading is refused for
                await asyncio.sleep(self._pause)
                with suppress(TimeoutError):
                    async with asyncio.timeout(self._reread):
                        await watch.changed.wait()
                watch.changed.clear()
                last, body = body, await self._door.run(read)
                yield _STILL_HERE if body == last else _event(name, body)
        except Refusal as refusal:
            yield _event("problem", problems.of_refusal(refusal).body)
        finally:
            self._watches.discard(watch)

    def _reader(self, resource: Resource, http: Http) -> Callable[[], bytes]:
        """What reads the resource, for whoever asked; on a thread. Raises Refusal."""
        query = http.scope["query_string"].decode("latin-1")
        request = resource.request(http.path_params, query, b"", None)

        def read() -> bytes:
            answer = self._door.perform(request, http)
            if answer.refused:
                raise answer.refusal()
            return bytes(answer.body)

        return read

    def _hear(self, hint: Hint) -> None:
        for watch in self._watches:
            if hint.everything or watch.trip in hint.trips:
                watch.changed.set()


def wanted(resource: Resource, http: Http) -> bool:
    """Whether a request asks to watch what it asks for."""
    return resource.kind in WATCHED and EVENT_STREAM in http.headers.get("accept", "")


def _event(name: str, body: bytes) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), body)
