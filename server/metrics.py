"""The metrics, in Prometheus' format.

Requests are counted by booking/operations.py, and the sizes of batches by db/writer.py. The rest is read when
the metrics are requested: waiting calls, connections, and what the database counts. Counting reads all
tickets and all rows that are not sent, so it is done at most once every metrics_seconds.
"""

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from busware.server.db.pool import InternalError, Pool
from busware.server.db.reader import Reader
from busware.server.db.shard_queues import ShardReaders, ShardWriters
from busware.server.db.standby import StandbyReads
from busware.server.db.writer import Writer
from busware.server.protocol import Refusal
from busware.server.settings import Settings

CONTENT_TYPE = "text/plain; version=0.0.4"

_DURATION_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_COUNT_TICKETS = "SELECT status, tickets FROM api.count_tickets()"
_COUNT_OUTBOX = "SELECT kind, state, count, age_seconds FROM api.count_outbox()"
_COUNT_WEBHOOKS = "SELECT state, count FROM api.count_webhooks()"
_BATCH_BUCKETS = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)


class Metrics(Collector):
    """The metrics of one process."""

    def __init__(
        self,
        pool: Pool,
        reader: Reader | ShardReaders,
        writer: Writer | ShardWriters,
        settings: Settings,
        standby: StandbyReads | None = None,
    ) -> None:
        self._pool, self._reader, self._writer = pool, reader, writer
        self._max_age_seconds = settings.metrics_seconds
        self._lock = threading.Lock()  # guards the next two attributes
        self._counts: dict[str, list[tuple[Any, ...]]] = {}  # the rows of each statement
        self._counted_at = -self._max_age_seconds
        self._registry = CollectorRegistry()
        requests = Histogram(
            "busware_request_seconds",
            "How long requests took, by method and outcome: ok, fault, or the reason of a refusal",
            ("method", "outcome"),
            buckets=_DURATION_BUCKETS,
            registry=self._registry,
        )
        self._requests = functools.cache(requests.labels)  # `labels` is slow: it checks the names each time
        batches = Histogram(
            "busware_batch_calls", "Writes in one commit", buckets=_BATCH_BUCKETS, registry=self._registry
        )
        writer.on_batch = batches.observe
        if standby:
            reads = Counter(
                "busware_reads", "Statements with reads, by the database: standby, primary", ("database",),
                registry=self._registry,
            )  # fmt: skip
            standby.on_read = lambda database: reads.labels(database).inc()
        self._registry.register(self)

    def observe_request(self, method: str, outcome: str, seconds: float) -> None:
        """Count a request that has ended."""
        self._requests(method, outcome).observe(seconds)

    def text(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The metrics that are read when they are requested."""
        yield GaugeMetricFamily("busware_read_queue", "Reads that wait", self._reader.waiting)
        yield GaugeMetricFamily("busware_write_queue", "Writes that wait", self._writer.waiting)
        yield _gauge(
            "busware_read_connections",
            "Database connections for reads",
            "state",
            self._pool.count_connections(),
        )
        counts = self._count()
        tickets = dict(counts.get(_COUNT_TICKETS, []))
        yield _gauge("busware_tickets", "Tickets that are held, pending and sold", "status", tickets)
        yield from self._outbox(counts.get(_COUNT_OUTBOX, []))
        webhooks = dict(counts.get(_COUNT_WEBHOOKS, []))
        yield _gauge("busware_webhooks", "Webhooks: active, or paused by the server", "state", webhooks)

    @staticmethod
    def _outbox(rows: list[tuple[Any, ...]]) -> Iterator[GaugeMetricFamily]:
        """What is not sent yet, and what could not be sent. rows: of _COUNT_OUTBOX."""
        labels = ("kind", "state")
        counts = GaugeMetricFamily(
            "busware_outbox_rows",
            "Mails, webhooks, refunds that are not sent, and unpublished events",
            labels=labels,
        )
        ages = GaugeMetricFamily("busware_outbox_age_seconds", "Age of the oldest of them", labels=labels)
        for kind, state, count, age in rows:
            counts.add_metric((kind, state), count)
            ages.add_metric((kind, state), float(age))
        yield counts
        yield ages

    def _count(self) -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each statement, as last counted; none while the database is unavailable."""
        with self._lock:
            if time.monotonic() - self._counted_at >= self._max_age_seconds:
                self._counted_at, self._counts = time.monotonic(), {}
                with suppress(Refusal, InternalError):
                    for statement in (_COUNT_TICKETS, _COUNT_OUTBOX, _COUNT_WEBHOOKS):
                        self._counts[statement] = self._pool.execute(statement)
            return self._counts


def _gauge(name: str, description: str, label: str, values: dict[str, int]) -> GaugeMetricFamily:
    gauge = GaugeMetricFamily(name, description, labels=[label])
    for key, value in values.items():
        gauge.add_metric([key], value)
    return gauge
