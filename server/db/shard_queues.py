"""Queues for the writes and the reads of each shard, so that a slow or absent shard delays only its services.

All of them connect to the database of the proxy, which sends each call to the shard of its service. A queue
is chosen by the number of the service, as the map of the proxy says. A map that is out of date only chooses
another queue: the proxy decides.
"""

import logging
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace

import msgspec
import psycopg
from msgspec import Raw, Struct

from busware.server.db.deadlines import DeadlinePassed, Deadlines
from busware.server.db.pool import InternalError, Pool
from busware.server.db.reader import Reader
from busware.server.db.shards import VIRTUAL_SHARDS, Shard, shards_of
from busware.server.db.writer import Call, Writer
from busware.server.protocol import Answer, Refusal
from busware.server.protocol.text import REFERENCE_ALPHABET
from busware.server.settings import Settings

log = logging.getLogger("busware.shards")

_MAP = "SELECT api.shard_map()"
_NOTE = "SELECT api.note_shard(%s, %s)"
_RANDOM_DIGITS = 5  # at the end of a reference
_CHECK_CONNECT_SECONDS = 2  # how long a check waits for a connection
_CHECK_SECONDS = 1  # how long a check waits for an answer, before the grace of Deadlines


class _Home(Struct):
    """What names the service of a request."""

    bus_id: int | None = None
    reference: str | None = None


class _Map(Struct):
    """The map of the proxy. databases: the number of the database of each virtual shard."""

    version: int
    databases: list[int]
    away: list[int]


_decode_home = msgspec.json.Decoder(_Home).decode


def home_of(args: bytes) -> int | None:
    """The number of the service of a request, or of the booking's first service; None if it names none."""
    home = _decode_home(args)
    if home.reference is None:
        return home.bus_id
    number = 0
    for digit in home.reference.strip().upper()[:-_RANDOM_DIGITS]:
        number = number * len(REFERENCE_ALPHABET) + REFERENCE_ALPHABET.find(digit)
    return number


class ShardMap:
    """The map of the proxy, which each server reads again, and whether the databases answer.

    A thread for each database checks whether it answers, and tells the proxy. The proxy then leaves it out of
    searches and lists, and refuses calls for its services at once.
    """

    def __init__(self, home: Pool, settings: Settings, server_url: str) -> None:
        self.shards = shards_of(settings, server_url)
        self._home, self._settings = home, settings
        self._map = _Map(0, [1] * VIRTUAL_SHARDS, [])
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(
                target=self._watch, args=(shard,), name=f"check of shard {shard.number}", daemon=True
            )
            for shard in self.shards
        ]

    def start(self) -> None:
        """Read the map, and begin to check the databases. Raises Refusal or InternalError."""
        self._read()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the checks."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()

    def index_of(self, bus_id: int) -> int:
        """The position in `shards` of the database that has a service.

        A database that was added after this server had started shares the queue of another one.
        """
        return (self._map.databases[bus_id % VIRTUAL_SHARDS] - 1) % len(self.shards)

    def _read(self) -> None:
        ((found,),) = self._home.execute(_MAP)
        self._map = msgspec.json.decode(found, type=_Map)

    def _watch(self, shard: Shard) -> None:
        with closing(_Check(shard.server_url, self._settings)) as check:
            while not self._stopping.wait(self._settings.shard_check_seconds):
                self._note(shard.number, away=not check.answers())

    def _note(self, number: int, *, away: bool) -> None:
        """Read the map again, and tell the proxy whether a database is away, if that is new."""
        try:
            self._read()
            if away != (number in self._map.away):
                log.warning("shard %d %s", number, "does not answer" if away else "answers again")
                self._home.execute(_NOTE, (number, away))
        except (Refusal, InternalError) as error:
            log.debug("shard %d is not reported: %s", number, error)


class _Check:
    """Asks a database whether it answers, on a connection that is kept while it does."""

    def __init__(self, url: str, settings: Settings) -> None:
        limits = replace(
            settings, statement_seconds=_CHECK_SECONDS, host_connect_seconds=_CHECK_CONNECT_SECONDS
        )
        self._url, self._connection_class = url, Deadlines(limits).connection_class
        self._connection: psycopg.Connection | None = None

    def answers(self) -> bool:
        """Whether the database answers. A kept connection that was lost is replaced first."""
        if self._connection is not None:
            try:
                self._connection.execute("SELECT")
            except DeadlinePassed:
                return False
            except psycopg.Error:
                self.close()
            else:
                return True
        try:
            self._connection = self._connection_class.connect(self._url, autocommit=True)
        except psycopg.OperationalError:
            return False
        return True

    def close(self) -> None:
        """Disconnect."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None


class ShardWriters:
    """A writer for each shard, with the interface of Writer."""

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines, shards: ShardMap) -> None:
        self._map = shards
        self._writers = [Writer(url, settings, deadlines) for _ in shards.shards]

    @property
    def on_batch(self) -> Callable[[int], None]:
        """See Writer."""
        return self._writers[0].on_batch

    @on_batch.setter
    def on_batch(self, called: Callable[[int], None]) -> None:
        for writer in self._writers:
            writer.on_batch = called

    @property
    def on_commit(self) -> Callable[[list[tuple[Raw, Raw]]], None]:
        """See Writer."""
        return self._writers[0].on_commit

    @on_commit.setter
    def on_commit(self, called: Callable[[list[tuple[Raw, Raw]]], None]) -> None:
        for writer in self._writers:
            writer.on_commit = called

    def start(self) -> None:
        """Connect, and begin to write. Raises DatabaseUnavailable."""
        for writer in self._writers:
            writer.start()

    def stop(self) -> None:
        """Refuse new calls, complete those that wait, and disconnect."""
        threads = [threading.Thread(target=writer.stop, daemon=True) for writer in self._writers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def submit(self, call: Call) -> Answer:
        """Execute a call, as Writer.submit does."""
        return self._writers[self._map.index_of(home_of(call.args) or 0)].submit(call)

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a batch."""
        return sum(writer.waiting for writer in self._writers)

    @property
    def is_running(self) -> bool:
        """Whether all threads are alive."""
        return all(writer.is_running for writer in self._writers)


class ShardReaders:
    """A reader for each shard, and one for the reads of all shards, with the interface of Reader."""

    def __init__(self, url: str, settings: Settings, deadlines: Deadlines, shards: ShardMap) -> None:
        self._map = shards
        self._pools = [Pool(url, settings, deadlines) for _ in (None, *shards.shards)]
        self._of_all, *self._readers = [Reader(pool, settings) for pool in self._pools]

    def open(self) -> None:
        """Begin to connect."""
        for pool in self._pools:
            pool.begin_open()

    def close(self) -> None:
        """Disconnect, after the reads that are running."""
        for pool in self._pools:
            pool.close()

    def read(self, method: str, args: bytes) -> Answer:
        """Return the answer of a read, as Reader.read does."""
        home = home_of(args)
        reader = self._of_all if home is None else self._readers[self._map.index_of(home)]
        return reader.read(method, args)

    @property
    def waiting(self) -> int:
        """The number of callers whose read waits for a connection."""
        return sum(reader.waiting for reader in (self._of_all, *self._readers))
