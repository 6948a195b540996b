"""The sides of a comparison: pgbench, and this server with its clients.

A run that writes has a database of its own, which is audited after the run. After a run of this server, it
must also hold exactly the acknowledged operations. Otherwise the run raises InvalidRun, and has no result.
"""

import json
import multiprocessing
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Protocol, Self
from urllib.parse import urlencode

from busware.server.embedded.data_folder import Urls
from scripts.benchmark import PROJECT, load, pgbench
from scripts.benchmark.datasets import Dataset, Datasets, InvalidRun
from scripts.benchmark.load import Duration, Plan, RunResult
from scripts.benchmark.workloads import Operation, Workload, line

MAX_PER_SECOND = 32_000  # operations that are encoded before the run
STOP_SECONDS = 30  # time for a server to stop
_QUANTITIES = ("rate", "median", "p99", "server_us", "database_us", "idle_kb")  # of a sample
_TICKS = os.sysconf("SC_CLK_TCK")  # units of processor time in a second
# What a server prints when it has started. Between the two addresses there may be other lines.
_ADDRESSES = re.compile(r"serves on ([\w.]+):(\d+).*?HTTP:\s+http://([\w.]+):(\d+)", re.DOTALL)


@dataclass(frozen=True)
class Sample:
    """The result of a run: operations a second, and the latencies in seconds.

    server_us, database_us: processor time of an operation in microseconds, which depends little on other load
    of the machine. idle_kb: memory of the server for each idle client.
    """

    rate: float
    median: float
    p99: float
    refused: Counter[str] = field(default_factory=Counter)
    server_us: float | None = None
    database_us: float | None = None
    idle_kb: float | None = None

    @classmethod
    def of_one(cls, seconds: float) -> Self:
        """The sample of a single operation."""
        return cls(1 / seconds, seconds, seconds)


def medians(samples: list[Sample]) -> dict[str, float]:
    """The median of each quantity of the samples, by its name."""
    quantities = {name: [getattr(sample, name) for sample in samples] for name in _QUANTITIES}
    known = {name: values for name, values in quantities.items() if values and None not in values}
    return {name: statistics.median(values) for name, values in known.items()}


class Side(Protocol):
    """Something that can be measured."""

    name: str

    def run(self, datasets: Datasets, duration: Duration) -> Sample:
        """Run once. Raises InvalidRun."""


@dataclass(frozen=True)
class PgBench:
    """pgbench with a number of connections."""

    workload: Workload
    clients: int

    @property
    def name(self) -> str:
        """The name in the table."""
        return f"pgbench, {self.clients}"

    def run(self, datasets: Datasets, duration: Duration) -> Sample:
        """Run once. Raises InvalidRun."""
        with _database(datasets, self.workload) as database:
            result = pgbench.run(datasets, database, self.workload, self.clients, duration)
            stored = _count_operations(datasets, database, self.workload)
        # pgbench counts refusals as transactions; the database holds only operations that were not refused
        share = 1.0 if stored is None else stored / max(1, result.done)
        return _sample(result, duration, share)


@dataclass(frozen=True)
class Server:
    """This server, with a number of working and idle clients.

    http: the method and the path of the requests, if the clients use HTTP.
    """

    workload: Workload
    clients: int
    idle: int = 0
    processes: int = 1
    http: str = ""

    @property
    def name(self) -> str:
        """The name in the table."""
        idle = f" and {self.idle:,} idle" if self.idle else ""
        processes = f", {self.processes} processes" if self.processes > 1 else ""
        http = f", `{self.http}`" if self.http else ""
        return f"busware, {self.clients}{idle}{processes}{http}"

    def run(self, datasets: Datasets, duration: Duration) -> Sample:
        """Run once. Raises InvalidRun."""
        with _database(datasets, self.workload) as database:
            with datasets.connect(database) as conn:
                wanted = round(MAX_PER_SECOND * (duration.warmup + duration.seconds))
                operations = list(islice(self.workload.operations(self.workload.dataset, conn), wanted))
            with run_server(
                datasets.urls(database), datasets.shard_urls(database), processes=self.processes
            ) as server:
                address = server.http_address if self.http else server.address
                before = self._processor_times(datasets, database, server)
                result, grown_kb = _put_load(server, self._plan(address, operations, duration))
                after = self._processor_times(datasets, database, server)
            stored = _count_operations(datasets, database, self.workload)
        if stored is not None and stored != result.done:
            raise InvalidRun(f"{result.done} operations were acknowledged, and the database has {stored}")
        if result.out_of_operations:
            raise InvalidRun("the clients ran out of requests")
        done = result.done + result.refused.total()
        server_us, *databases_us = ((b - a) / done for a, b in zip(before, after, strict=True))
        return replace(
            _sample(result, duration),
            server_us=server_us,
            database_us=sum(databases_us),
            idle_kb=grown_kb / self.idle if self.idle else None,
        )

    def _processor_times(self, datasets: Datasets, database: str, server: "RunningServer") -> list[float]:
        """Processor time so far of the server's processes, and of the backends in each of the databases.

        In microseconds; the first database is that of the proxy, if there are shards.
        """
        own = server.process.pid
        listed = Path(f"/proc/{own}/task").glob("*/children")  # of each thread
        children = [child for file in listed for child in file.read_text().split()]
        return [processor_time([own, *children]), *backend_times(datasets, database)]

    def _plan(self, address: tuple[str, int], operations: list[Operation], duration: Duration) -> Plan:
        if self.http:
            operations = [
                [as_http(request, self.http, address) for request in operation] for operation in operations
            ]
        operations_of_clients = [operations[n :: self.clients] for n in range(self.clients)]
        return Plan(*address, operations_of_clients, duration, self.idle, bool(self.http))


@dataclass(frozen=True)
class Starting:
    """`python -m busware.server` on a database that is ready, until it has answered a first request."""

    dataset: Dataset
    name: str = "busware"

    def run(self, datasets: Datasets, duration: Duration) -> Sample:
        """Start it once."""
        urls = datasets.urls(datasets.template(self.dataset))
        began = perf_counter()
        with run_server(urls) as server, socket.create_connection(server.address) as connection:
            connection.sendall(line("ping"))
            connection.recv(1024)
            return Sample.of_one(perf_counter() - began)


@dataclass(frozen=True)
class ClientHelp:
    """`python -m busware --help`."""

    name: str = "busware"

    def run(self, datasets: Datasets, duration: Duration) -> Sample:
        """Run it once."""
        began = perf_counter()
        command = [sys.executable, "-m", "busware", "--help"]
        subprocess.run(command, cwd=PROJECT, stdout=subprocess.DEVNULL, check=True)
        return Sample.of_one(perf_counter() - began)


@dataclass(frozen=True)
class RunningServer:
    """A running server."""

    process: "subprocess.Popen[str]"
    address: tuple[str, int]
    http_address: tuple[str, int]

    def memory_kb(self) -> int:
        """The resident memory of the server."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@contextmanager
def run_server(urls: Urls, shard_urls: Sequence[str] = (), **options: int) -> Iterator[RunningServer]:
    """Run `python -m busware.server` on a database and a free port; stop it at the end.

    shard_urls: the owner's URLs of its shards.
    """
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("BUSWARE_")}
    environment = {
        **inherited,
        "BUSWARE_OWNER_URL": urls.owner,
        "DATABASE_URL": urls.server,
        **({"BUSWARE_SHARDS": ",".join(shard_urls)} if shard_urls else {}),
        "BUSWARE_HTTP_PORT": "0",
        "BUSWARE_SEED": "false",
        "BUSWARE_EXEMPT_NETWORKS": "127.0.0.0/8, ::1/128",  # the clients hold more than one address may
        "BUSWARE_LOG_LEVEL": "WARNING",
    }
    arguments = [f"--{name}={value}" for name, value in options.items() if value > 1]
    process = subprocess.Popen(
        [sys.executable, "-m", "busware.server", *arguments, "0"],
        env=environment, cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout  # noqa: S101 - it is a pipe
        printed = ""
        while not (found := _ADDRESSES.search(printed)):
            if not (line := process.stdout.readline()):
                raise RuntimeError(f"the server did not start: {printed}")
            printed += line
        yield RunningServer(process, (found[1], int(found[2])), (found[3], int(found[4])))
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=STOP_SECONDS)


def as_http(request: bytes, target: str, address: tuple[str, int]) -> bytes:
    """A JSON-RPC request as an HTTP request. target: its method and path."""
    params = json.loads(request)["params"]
    method, path = target.split()
    body = b"" if method == "GET" else json.dumps(params, separators=(",", ":")).encode()
    query = f"?{urlencode(params)}" if method == "GET" else ""
    head = f"{method} {path}{query} HTTP/1.1\r\nHost: {address[0]}:{address[1]}\r\n"
    if body:
        head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


@contextmanager
def _database(datasets: Datasets, workload: Workload) -> Iterator[str]:
    """A clone of the workload's dataset; for reads, the dataset itself."""
    if workload.count_query:
        with datasets.clone(workload.dataset) as database:
            yield database
    else:
        yield datasets.template(workload.dataset)


def _count_operations(datasets: Datasets, database: str, workload: Workload) -> int | None:
    """Audit the database, and count the operations that it holds. None for reads, which change nothing."""
    if not workload.count_query:
        return None
    datasets.audit(database)
    stored, before = (
        _count(datasets, name, workload.count_query)
        for name in (database, datasets.template(workload.dataset))
    )
    return stored - before


def _count(datasets: Datasets, database: str, query: str) -> int:
    """The count of a database, with its shards."""
    with datasets.connect_each(database) as connections:
        return sum(int(n) for conn in connections for (n,) in conn.execute(query.encode()))


def _put_load(server: RunningServer, plan: Plan) -> tuple[RunResult, int]:
    """Execute a plan in a process of its own: the result, and the memory that the connections took in kB."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=load.run, args=(theirs,))
    process.start()
    theirs.close()
    before = server.memory_kb()
    ours.send(plan)
    ours.recv()
    grown = server.memory_kb() - before
    ours.send("go")
    result: RunResult = ours.recv()
    process.join()
    return result, grown


def backend_times(datasets: Datasets, database: str) -> list[float]:
    """The processor time so far of the backends of servers in a database, and in each of its shards.

    In microseconds.
    """
    backends = (
        "SELECT pid FROM pg_stat_activity "
        "WHERE application_name LIKE 'busware %' AND datname = current_database()"
    )
    with datasets.connect_each(database) as connections:
        return [processor_time([pid for (pid,) in conn.execute(backends)]) for conn in connections]


def processor_time(pids: Iterable[int | str]) -> float:
    """The processor time that processes have used so far, in microseconds (utime and stime)."""
    stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) * 1e6 / _TICKS


def _sample(result: RunResult, duration: Duration, share: float = 1.0) -> Sample:
    if len(result.latencies) < 2:
        raise InvalidRun(f"fewer than two operations succeeded; refused: {dict(result.refused)}")
    centiles = statistics.quantiles(result.latencies, n=100)
    rate = share * len(result.latencies) / duration.seconds
    return Sample(rate, centiles[49], centiles[98], result.refused)
