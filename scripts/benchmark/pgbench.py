"""pgbench: PostgreSQL's own program for the limit that one transaction for each operation has."""

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

_THREADS = 2  # of pgbench; with more it takes more from PostgreSQL than it gives on two cores
# Seconds of warm-up for each connection, on top of the common ones: its first transaction plans every
# function that it comes by, while those of all other connections do the same.
_WARMUP_OF_A_CONNECTION = 0.02
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")


def run(worlds: Worlds, database: str, workload: Workload, clients: int, time: Time) -> Tally:
    """Run a workload by so many connections, one transaction a statement; what came of it.

    Raises Unsound when not all of them had done a transaction before the measured seconds began.
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
    """Those of the transactions that ended in the last seconds, from pgbench's log."""
    ended = []
    warm_at = 0.0  # when the last of the connections had done its first
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines():
            _, of_its_connection, microseconds, _, second, fraction = line.split()[:6]
            at = int(second) + int(fraction) / 1e6
            ended.append((at, int(microseconds) / 1e6))
            if of_its_connection == "1":
                warm_at = max(warm_at, at)
    start = max((at for at, _ in ended), default=0.0) - time.seconds
    if warm_at > start:
        raise Unsound(f"pgbench was warm {warm_at - start:.1f} s too late; give more --warmup")
    return [latency for at, latency in ended if at >= start]
