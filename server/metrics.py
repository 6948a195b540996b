"""What is measured, for Prometheus.

server/booking/operations.py counts the requests of TCP and HTTP; the sizes of batches are counted
where they are sent (server/db/writer.py). All else is looked up when it is asked for: what waits,
what is in use, and, at most every few seconds since it is a question to the whole database, how many
tickets there are of each kind.
"""

import functools
import threading
import time
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from busware.server.db.pool import InternalError, Pool
from busware.server.db.reader import Reader
from busware.server.db.writer import Writer
from busware.server.protocol import Refusal
from busware.server.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4"

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_CALLS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics(Collector):
    """The measures of one server."""

    def __init__(self, pool: Pool, reader: Reader, writer: Writer, settings: Settings) -> None:
        self._pool = pool
        self._reader = reader
        self._writer = writer
        self._seconds = settings.metrics_seconds
        self._lock = threading.Lock()  # for the counts
        self._counts: dict[str, int] = {}
        self._counted_at = -self._seconds
        self._registry = CollectorRegistry()
        self._requests = Histogram(
            "busware_request_seconds",
            "How long requests took, by method and outcome: ok, fault, or the reason of a refusal",
            ("method", "outcome"),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self._of = functools.cache(self._requests.labels)  # which looks every time whether they are right
        batches = Histogram(
            "busware_batch_calls", "Writes in one commit", buckets=_CALLS, registry=self._registry
        )
        writer.on_batch = batches.observe
        self._registry.register(self)

    def request(self, method: str, outcome: str, seconds: float) -> None:
        """A request came to an end."""
        self._of(method, outcome).observe(seconds)

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """What is looked up when it is asked for."""
        yield GaugeMetricFamily("busware_read_queue", "Reads that wait", self._reader.waiting)
        yield GaugeMetricFamily("busware_write_queue", "Writes that wait", self._writer.waiting)
        pool = GaugeMetricFamily(
            "busware_read_connections", "Database connections for reads", labels=["state"]
        )
        for state, n in self._pool.connections().items():
            pool.add_metric([state], n)
        yield pool
        tickets = GaugeMetricFamily(
            "busware_tickets", "Tickets that are held, pending and sold", labels=["status"]
        )
        for status, n in self._tickets().items():
            tickets.add_metric([status], n)
        yield tickets

    def _tickets(self) -> dict[str, int]:
        """How many tickets there are, as last counted; none while the database is away."""
        with self._lock:
            if time.monotonic() - self._counted_at >= self._seconds:
                self._counted_at = time.monotonic()
                try:
                    self._counts = self._pool.count_tickets()
                except (Refusal, InternalError):
                    self._counts = {}
            return self._counts
