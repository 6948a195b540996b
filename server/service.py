"""One process that serves: creates its parts and connects them.

On a stop, the parts that use others are stopped first. The HTTP server and the TCP server drain at the same
time: requests under way are answered, later ones are refused. Then the writer commits the calls that are
queued. No statement waits for longer than drain_seconds after the stop began (server/db/deadlines.py). A part
that has not stopped a little later is logged, and the process ends without it.
"""

import dataclasses
import logging
import os
import ssl
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from msgspec import Raw

from busware.server.booking.operations import Operations
from busware.server.certificates import CertificateReloader
from busware.server.db.deadlines import Deadlines
from busware.server.db.listener import Listener
from busware.server.db.pool import Pool
from busware.server.db.shard_queues import ShardMap, ShardReaders, ShardWriters
from busware.server.db.standby import StandbyReads
from busware.server.db.writer import Writer
from busware.server.housekeeping import Housekeeper
from busware.server.http import HttpServer
from busware.server.mail.carriers import MessageCarriers
from busware.server.outbox.worker import Outbox
from busware.server.pages.pages import Pages
from busware.server.push.messages import Messages
from busware.server.push.pusher import Pusher
from busware.server.settings import Settings, SettingsError
from busware.server.tcp.server import TcpServer
from busware.server.tls import is_loopback, server_context
from busware.server.webhooks.carrier import WebhookCarrier

log = logging.getLogger("busware.service")

STOP_SECONDS = 5.0  # how long after drain_seconds the parts may take to stop
_GROUP_SECONDS = 1.0  # each group of parts gets this time at least, whatever those before it took


_Stop = tuple[str, Callable[[], None]]  # the name of a part, and the function that stops it


class NotStopped(Exception):
    """Some parts have not stopped in time. Their threads must not keep the process alive."""


def serve(
    settings: Settings,
    url: str,
    stack: ExitStack,
    on_outdated: Callable[[str], None],
    *,
    shared: bool = False,
) -> Settings:
    """Start all parts and push a function that stops them. Returns the settings with the ports in use.

    url: leads to the database, as the server's role; it may lead to a transaction pooler if listen_url is
    set.
    on_outdated: called, with the reason, when a breaking migration outdates this process.
    shared: the other processes of a supervisor listen on the same ports.
    Raises SettingsError, DatabaseUnavailable or PortError.
    """
    tls = tls_context(settings)
    if tls and settings.tls_cert and settings.tls_key:
        certificates = CertificateReloader(
            tls, settings.tls_cert, settings.tls_key, settings.tls_check_seconds
        )
        certificates.start()
        stack.callback(certificates.stop)
    session_url = settings.listen_url or url
    deadlines = Deadlines(settings)
    pool = Pool(url, settings, deadlines)
    clients: list[_Stop] = []  # the parts that serve clients
    stops: list[list[_Stop]] = [[("connection pool", pool.close)]]  # in groups; the last is stopped first
    stack.callback(stop_parts, stops, deadlines, settings)
    pool.open()
    listener = Listener(session_url, settings, deadlines)
    listener.on_outdated = on_outdated
    shards = _open_shards(pool, url, settings, deadlines, stops)
    databases = [pool, *(shards.pools if shards else ())]
    outboxes = [Outbox(database, settings) for database in databases]
    for outbox in outboxes[1:]:  # the log of the proxy collects the events of the shards
        outbox.on_published = outboxes[0].schedule

    def schedule_outboxes() -> None:
        for outbox in outboxes:
            outbox.schedule()

    def on_commit(calls: list[tuple[Raw, Raw]]) -> None:
        listener.queue_changes(calls)
        schedule_outboxes()

    pool.on_write = schedule_outboxes
    writer = shards.writers if shards else Writer(session_url, settings, deadlines)
    writer.on_commit = on_commit
    writer.start()
    stops.append([("writer", writer.stop)])
    standby = _open_standby(pool, settings, deadlines, stops)
    operations = Operations(pool, writer, settings, standby, shards.readers if shards else None)
    operations.payments.start()
    stops.append([("payments", operations.payments.stop)])
    stops.append(_start_workers(databases, outboxes, operations, settings, deadlines))
    stops.append(clients)

    listener.subscribe(operations.accounts.receive)
    pusher = Pusher(Messages(pool, settings), listener)
    tcp = TcpServer(settings, operations, pusher, tls)
    tcp.start(shared=shared)
    clients.append(("TCP server", tcp.drain))
    http = HttpServer(settings, operations, tls, listener, Pages)
    http.start(shared=shared)
    clients.append(("HTTP server", http.drain))

    def stop_push() -> None:
        pusher.stop()  # first, because the pusher needs the registration of this process
        listener.stop()

    pusher.start()
    listener.start(f"{settings.host}:{tcp.port}, process {os.getpid()}")
    clients.append(("push", stop_push))
    return dataclasses.replace(settings, port=tcp.port, http_port=http.port, ports=tcp.ports)


@dataclass(frozen=True)
class _Shards:
    """What a process has for the shards. pools: to each of their databases, for the work of timers."""

    readers: ShardReaders
    writers: ShardWriters
    pools: list[Pool]


def _open_shards(
    pool: Pool, url: str, settings: Settings, deadlines: Deadlines, stops: list[list[_Stop]]
) -> _Shards | None:
    """Connect to the databases of the shards. One that does not answer is connected to later."""
    if not settings.shards:
        return None
    shard_map = ShardMap(pool, settings, url)
    shard_map.start()
    stops.append([("checks of shards", shard_map.stop)])
    shards = _Shards(
        ShardReaders(url, settings, deadlines, shard_map),
        ShardWriters(settings.listen_url or url, settings, deadlines, shard_map),
        [Pool(shard.server_url, settings, deadlines) for shard in shard_map.shards],
    )
    shards.readers.open()
    stops[0].append(("readers of shards", shards.readers.close))
    for number, database in enumerate(shards.pools, 1):
        database.begin_open()
        stops[0].append((f"connection pool of shard {number}", database.close))
    return shards


def _start_workers(
    databases: list[Pool],
    outboxes: list[Outbox],
    operations: Operations,
    settings: Settings,
    deadlines: Deadlines,
) -> list[_Stop]:
    """Start the timers and the outbox of each database, that of the proxy or the only one first."""
    stops: list[_Stop] = []
    for number, (database, outbox) in enumerate(zip(databases, outboxes, strict=True)):
        name = f" of shard {number}" if number else ""
        rate_limiter = None if number else operations.accounts.rate_limiter
        housekeeper = Housekeeper(database, settings, rate_limiter, services=databases[0])
        housekeeper.start()
        stops.append((f"housekeeping{name}", housekeeper.stop))
        _start_outbox(outbox, database, operations, settings)
        stops.append((f"outbox{name}", partial(_stop_outbox, outbox, deadlines)))
    return stops


def _start_outbox(outbox: Outbox, pool: Pool, operations: Operations, settings: Settings) -> None:
    """Register the carriers of an outbox, and start it. pool: to its database."""
    messages = MessageCarriers(pool, operations.accounts, settings)
    for kind, carrier in {
        "mail": messages.carry_mail,
        "sms": messages.carry_sms,
        "refund": operations.payments.carry_refund,
        "fee": operations.payments.carry_fee,
        "webhook": WebhookCarrier(pool, settings).carry,
    }.items():
        outbox.register(kind, carrier)
    outbox.start()


def _stop_outbox(outbox: Outbox, deadlines: Deadlines) -> None:
    outbox.stop(deadlines.seconds_left())


def stop_parts(stops: list[list[_Stop]], deadlines: Deadlines, settings: Settings) -> None:
    """Stop the groups of parts, the last one first, and the parts of a group at the same time.

    Raises NotStopped.
    """
    running: list[str] = []
    end_at = time.monotonic() + settings.drain_seconds + STOP_SECONDS
    deadlines.begin_stop()
    for group in reversed(stops):
        threads = [threading.Thread(target=stop, name=name, daemon=True) for name, stop in group]
        for thread in threads:
            thread.start()
        end_at = max(end_at, time.monotonic() + _GROUP_SECONDS)
        for thread in threads:
            thread.join(max(0.0, end_at - time.monotonic()))
            if thread.is_alive():
                running.append(thread.name)
                log.error("The %s has not stopped in time; the process ends without it.", thread.name)
    if running:
        raise NotStopped(f"These parts have not stopped in time: {', '.join(running)}.")


def _open_standby(
    pool: Pool, settings: Settings, deadlines: Deadlines, stops: list[list[_Stop]]
) -> StandbyReads | None:
    if not settings.read_url:
        return None
    standby = StandbyReads(pool, settings.read_url, settings, deadlines)
    stops[0].append(("standby", standby.close))
    standby.open()
    return standby


def tls_context(settings: Settings) -> ssl.SSLContext | None:
    """The TLS context of all ports; None without TLS. Raises SettingsError."""
    certificate, key = settings.tls_cert, settings.tls_key
    if certificate and key:
        try:
            return server_context(certificate, key)
        except OSError as error:  # ssl.SSLError is a subclass
            raise SettingsError(
                f"BUSWARE_TLS_CERT ({certificate}) and BUSWARE_TLS_KEY ({key}) cannot be used: {error}."
            ) from None
    if certificate or key:
        raise SettingsError("BUSWARE_TLS_CERT and BUSWARE_TLS_KEY: set both, or neither.")
    if not settings.plain and not is_loopback(settings.host):
        raise SettingsError(
            f"BUSWARE_HOST={settings.host} accepts connections from other machines, and without TLS they can "
            "be intercepted. Set BUSWARE_TLS_CERT and BUSWARE_TLS_KEY; or, on a private network, "
            "BUSWARE_PLAIN=true."
        )
    return None
