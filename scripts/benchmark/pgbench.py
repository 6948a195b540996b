"""Runs pgbench, PostgreSQL's own benchmark program, with one transaction for each operation."""

import math
import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from scripts.benchmark.datasets import Dataset, Datasets, InvalidRun
from scripts.benchmark.load import Duration, RunResult
from scripts.benchmark.workloads import Workload

_THREADS = 2  # of pgbench; more threads reduce the throughput on two cores
# Added to the warm-up: the first transaction of a connection plans every function that it calls, while all
# other connections do the same.
_WARMUP_SECONDS_PER_CONNECTION = 0.02
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")


def run(datasets: Datasets, database: str, workload: Workload, clients: int, duration: Duration) -> RunResult:
    """Run a workload over a number of connections.

    Raises InvalidRun if a connection had not completed a transaction before the measured seconds began.
    """
    warmup = duration.warmup + _WARMUP_SECONDS_PER_CONNECTION * clients
    url = conninfo_to_dict(datasets.urls(database).owner)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(workload.script)
        command = [
            f"{datasets.programs}/pgbench", "--no-vacuum", "--protocol", "prepared", "--file", f"{script}",
            "--client", str(clients), "--jobs", str(min(clients, _THREADS)),
            "--time", str(math.ceil(warmup + duration.seconds)),
            "--log", "--log-prefix", f"{folder}/log",
            *(f"--define={name}={n}" for name, n in _variables(workload, clients).items()),
            "--host", str(url["host"]), "--port", str(url["port"]), "--username", str(url["user"]), database,
        ]  # fmt: skip
        environment = {**os.environ, "PGPASSWORD": str(url["password"])}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        if "ERROR" in ran.stderr:
            raise RuntimeError(ran.stderr)
        done = _PROCESSED.search(ran.stdout)
        return RunResult(_latencies(Path(folder), duration), Counter(), int(done[1]) if done else 0)


def _variables(workload: Workload, clients: int) -> dict[str, int]:
    dataset: Dataset = workload.dataset
    common = {"services": dataset.services, "days": dataset.days, "trips": dataset.trips}
    return {"i": 0, "clients": clients} | common | workload.variables


def _latencies(folder: Path, duration: Duration) -> list[float]:
    """The latencies of the transactions in the measured seconds, from pgbench's log."""
    ended = []
    warmed_up_at = 0.0  # when the last connection had completed its first transaction
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines():
            _, number_in_connection, microseconds, _, second, fraction = line.split()[:6]
            at = int(second) + int(fraction) / 1e6
            ended.append((at, int(microseconds) / 1e6))
            if number_in_connection == "1":
                warmed_up_at = max(warmed_up_at, at)
    start = max((at for at, _ in ended), default=0.0) - duration.seconds
    if warmed_up_at > start:
        raise InvalidRun(
            f"the warm-up of pgbench took {warmed_up_at - start:.1f} s too long: use a longer --warmup"
        )
    return [latency for at, latency in ended if at >= start]
