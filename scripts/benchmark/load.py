"""The clients of the benchmark: one process that uses little processor time.

All requests are encoded before the run. One thread serves every connection with epoll. It checks only whether
a reply is a result, and sends the next request at once. An operation counts if its last reply is a result and
arrives within the measured seconds. Refusals are counted separately, by reason. At the end the clients wait
for all outstanding replies, so that the acknowledged operations can be compared with the database.
"""

import json
import select
import socket
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from time import perf_counter

REFERENCE = b"<reference>"  # in a line: is replaced by the reference in the reply to the previous line
REPLY_TIMEOUT_SECONDS = 60  # reached only if something is broken
_RESULT = b'{"jsonrpc":"2.0","id":1,"result":'
_REFERENCE_FIELD = b'"reference": "'  # as PostgreSQL writes it


@dataclass(frozen=True)
class Duration:
    """The duration of a run in seconds: the warm-up, which is not measured, and the measured part."""

    warmup: float
    seconds: float


@dataclass
class Plan:
    """What to send, and where to: the operations of each client, each a list of lines."""

    host: str
    port: int
    operations: list[list[list[bytes]]]
    duration: Duration
    idle: int = 0  # more connections, which send nothing
    http: bool = False


@dataclass
class RunResult:
    """The result of a run. latencies: of the operations that count, in seconds."""

    latencies: list[float] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)  # in the measured seconds, by reason
    done: int = 0  # all operations that succeeded
    out_of_operations: bool = False  # a client had no operation left before the end


class _Client:
    def __init__(self, plan: Plan, operations: list[list[bytes]]) -> None:
        self.socket = socket.create_connection((plan.host, plan.port), REPLY_TIMEOUT_SECONDS)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.is_complete = _is_http_response if plan.http else _is_line
        self.success_prefix = b"HTTP/1.1 20" if plan.http else _RESULT
        self.operations = iter(operations)
        self.lines: Iterator[bytes] = iter(())
        self.received = b""
        self.began = 0.0

    def begin(self, now: float) -> bool:
        """Send the first line of the next operation. Return False if there is none."""
        operation = next(self.operations, None)
        if operation is None:
            return False
        self.lines = iter(operation)
        self.began = now
        self.socket.sendall(next(self.lines))
        return True

    def proceed(self, reply: bytes) -> bool:
        """Send the next line of the operation. Return False if there is none."""
        line = next(self.lines, None)
        if line is None:
            return False
        if REFERENCE in line:
            line = line.replace(REFERENCE, reply.split(_REFERENCE_FIELD, 1)[1].split(b'"', 1)[0])
        self.socket.sendall(line)
        return True


def run(pipe: Connection) -> None:
    """Receive a Plan, connect, report that, wait for the start, execute the plan, send the RunResult."""
    plan: Plan = pipe.recv()
    idle = [socket.create_connection((plan.host, plan.port), REPLY_TIMEOUT_SECONDS) for _ in range(plan.idle)]
    clients = [_Client(plan, operations) for operations in plan.operations]
    pipe.send("connected")
    pipe.recv()
    pipe.send(_execute(plan, clients))
    for connection in idle:
        connection.close()


def _execute(plan: Plan, clients: list[_Client]) -> RunResult:
    result = RunResult()
    poll = select.epoll()
    by_fd = {client.socket.fileno(): client for client in clients}
    start = perf_counter() + plan.duration.warmup
    end = start + plan.duration.seconds
    busy = 0
    for fd, client in by_fd.items():
        poll.register(fd, select.EPOLLIN)
        busy += client.begin(perf_counter())
    while busy:
        ready = poll.poll(REPLY_TIMEOUT_SECONDS)
        if not ready:
            raise TimeoutError(f"{busy} clients got no reply in {REPLY_TIMEOUT_SECONDS} s")
        for fd, _ in ready:
            client = by_fd[fd]
            client.received += _receive(client.socket)
            if not client.is_complete(client.received):
                continue
            reply, client.received = client.received, b""
            succeeded = reply.startswith(client.success_prefix)
            if succeeded and client.proceed(reply):
                continue
            now = perf_counter()
            result.done += succeeded
            if start <= now < end:
                if succeeded:
                    result.latencies.append(now - client.began)
                else:
                    result.refused[_reason(reply)] += 1
            if now >= end or not client.begin(now):
                result.out_of_operations |= now < end
                busy -= 1
    return result


def _receive(connection: socket.socket) -> bytes:
    chunk = connection.recv(65536)
    if not chunk:
        raise ConnectionError("the server closed the connection")
    return chunk


def _is_line(received: bytes) -> bool:
    return received.endswith(b"\n")


def _is_http_response(received: bytes) -> bool:
    """Whether this is a complete response."""
    head, gap, body = received.partition(b"\r\n\r\n")
    if not gap:
        return False
    length = next(h for h in head.lower().split(b"\r\n") if h.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


def _reason(reply: bytes) -> str:
    body = json.loads(reply.partition(b"\r\n\r\n")[2] or reply)
    error = body.get("error", body)
    return str(error.get("data", error).get("reason", error))
