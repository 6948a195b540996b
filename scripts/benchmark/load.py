"""The clients of the benchmark: one process that costs as little as it can.

All requests are encoded before the clock starts. One thread serves every connection with epoll: a
reply is looked at only for whether it is a result, and the next request goes out at once. What counts
is an operation whose last reply is a result that came within the measured seconds; refusals are
counted apart, by their reason. After that every answer under way is waited for, so that what was
acknowledged in all can be compared with what the database has.
"""

import json
import select
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import perf_counter

REFERENCE = b"<reference>"  # in a line of an operation: that of the booking which the line before it made
PATIENCE_SECONDS = 60  # for an answer; reached only when something is broken
_RESULT = b'{"jsonrpc":"2.0","id":1,"result":'
_NAMED = b'"reference": "'  # as PostgreSQL writes it


@dataclass(frozen=True)
class Time:
    """How long a load lasts, in seconds. What happens in the warm-up does not count."""

    warmup: float
    seconds: float


@dataclass
class Plan:
    """What to send whither: for each client its operations, each of them lines."""

    host: str
    port: int
    operations: list[list[list[bytes]]]
    time: Time
    idle: int = 0  # connections more, which say nothing
    http: bool = False


@dataclass
class Tally:
    """What came of it. latencies: of the operations that count, in seconds."""

    latencies: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # in the measured seconds, by reason
    done: int = 0  # operations that succeeded, all told
    ran_dry: bool = False  # a client had nothing left to send before the time was up


class _Client:
    def __init__(self, plan: Plan, operations: list[list[bytes]]) -> None:
        self.socket = socket.create_connection((plan.host, plan.port), PATIENCE_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.whole = _is_http if plan.http else _is_line
        self.good = b"HTTP/1.1 20" if plan.http else _RESULT
        self.operations = iter(operations)
        self.lines: Iterator[bytes] = iter(())
        self.received = b""
        self.began = 0.0

    def begin(self, now: float) -> bool:
        """Send the first line of the next operation; says whether there was one."""
        operation = next(self.operations, None)
        if operation is None:
            return False
        self.lines = iter(operation)
        self.began = now
        self.socket.sendall(next(self.lines))
        return True

    def proceed(self, reply: bytes) -> bool:
        """Send the next line of the operation; says whether there was one."""
        line = next(self.lines, None)
        if line is None:
            return False
        if REFERENCE in line:
            line = line.replace(REFERENCE, reply.split(_NAMED, 1)[1].split(b'"', 1)[0])
        self.socket.sendall(line)
        return True


def run(pipe: Connection) -> None:
    """Receive a Plan, connect, say so, wait for the word, carry the plan out, send the Tally."""
    plan: Plan = pipe.recv()
    idle = [socket.create_connection((plan.host, plan.port), PATIENCE_SECONDS) for _ in range(plan.idle)]
    clients = [_Client(plan, operations) for operations in plan.operations]
    pipe.send("connected")
    pipe.recv()
    pipe.send(_carry_out(plan, clients))
    for one in idle:
        one.close()


def _carry_out(plan: Plan, clients: list[_Client]) -> Tally:
    tally = Tally()
    poll = select.epoll()
    by_fd = {client.socket.fileno(): client for client in clients}
    start = perf_counter() + plan.time.warmup
    end = start + plan.time.seconds
    busy = 0
    for fd, client in by_fd.items():
        poll.register(fd, select.EPOLLIN)
        busy += client.begin(perf_counter())
    while busy:
        ready = poll.poll(PATIENCE_SECONDS)
        if not ready:
            raise TimeoutError(f"{busy} clients got no answer in {PATIENCE_SECONDS} s")
        for fd, _ in ready:
            client = by_fd[fd]
            client.received += _receive(client.socket)
            if not client.whole(client.received):
                continue
            reply, client.received = client.received, b""
            good = reply.startswith(client.good)
            if good and client.proceed(reply):
                continue
            now = perf_counter()
            tally.done += good
            if start <= now < end:
                if good:
                    tally.latencies.append(now - client.began)
                else:
                    tally.refused[_reason(reply)] += 1
            if now >= end or not client.begin(now):
                tally.ran_dry |= now < end
                busy -= 1
    return tally


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("the server hung up")
    return chunk


def _is_line(received: bytes) -> bool:
    return received.endswith(b"\n")


def _is_http(received: bytes) -> bool:
    """Whether this is a whole response."""
    head, gap, body = received.partition(b"\r\n\r\n")
    if not gap:
        return False
    length = next(h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


def _reason(reply: bytes) -> str:
    told = json.loads(reply.partition(b"\r\n\r\n")[2] or reply)
    error = told.get("error", told)
    return str(error.get("data", error).get("reason", error))
