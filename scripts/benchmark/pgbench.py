"""Runs pgbench, PostgreSQL's own benchmark program, with one transaction for each operation."""

import math
import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from busware.server.db.pool import SESSION
from scripts.benchmark.load import Tally, Time
from scripts.benchmark.workloads import Workload
from scripts.benchmark.world import Unsound, World, Worlds

_THREADS = 2  # of pgbench; with more threads, two cores give less throughput
# More warm-up for each connection, in seconds: its first transaction plans every function that it calls,
# while all other connections do the same.
_WARMUP_OF_A_CONNECTION = 0.02
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")


def run(worlds: Worlds, database: str, workload: Workload, clients: int, time: Time) -> Tally:
    """Run a workload over a number of connections.

    Raises Unsound if a connection had not completed a transaction before the measured seconds began.
    """
    url = conninfo_to_dict(worlds.urls(database).server)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(workload.script)
        command = [
            f"{worlds.programs}/pgbench", "--no-vacuum", "--protocol", "prepared", "--file", f"{script}",
            "--client", str(clients), "--jobs", str(min(clients, _THREADS)),
            "--time", str(math.ceil(time.warmup + _WARMUP_OF_A_CONNECTION * clients + time.seconds)),
            "--log", "--log-prefix", f"{folder}/log",
            *(f"--define={name}={n}" for name, n in _variables(workload, clients).items()),
            "--host", str(url["host"]), "--port", str(url["port"]), "--username", str(url["user"]), database,
        ]  # fmt: skip
        options = " ".join(f"-c {name}={value}" for name, value in SESSION.items())
        environment = {**os.environ, "PGPASSWORD": str(url["password"]), "PGOPTIONS": options}
        ran = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        if "ERROR" in ran.stderr:
            raise RuntimeError(ran.stderr)
        done = _PROCESSED.search(ran.stdout)
        return Tally(_latencies(Path(folder), time), Counter(), int(done[1]) if done else 0)


def _variables(workload: Workload, clients: int) -> dict[str, int]:
    world: World = workload.world
    common = {"services": world.services, "days": world.days, "trips": world.trips}
    return {"i": 0, "clients": clients} | common | workload.variables


def _latencies(folder: Path, time: Time) -> list[float]:
    """The latencies of the transactions in the measured seconds, from pgbench's log."""
    ended = []
    warm_at = 0.0  # when the last connection had completed its first transaction
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines():
            _, of_its_connection, microseconds, _, second, fraction = line.split()[:6]
            at = int(second) + int(fraction) / 1e6
            ended.append((at, int(microseconds) / 1e6))
            if of_its_connection == "1":
                warm_at = max(warm_at, at)
    start = max((at for at, _ in ended), default=0.0) - time.seconds
    if warm_at > start:
        raise Unsound(f"the warm-up of pgbench took {warm_at - start:.1f} s too long: use a longer --warmup")
    return [latency for at, latency in ended if at >= start]
