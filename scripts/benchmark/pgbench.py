"""pgbench: PostgreSQL's own program for the limit that one transaction for each operation has."""

import os
import re
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict

from scripts.benchmark.load import Tally, Time
from scripts.benchmark.workloads import Workload
from scripts.benchmark.world import World, Worlds
from server.storage import SESSION

_THREADS = 2  # of pgbench; with more it takes more from PostgreSQL than it gives on two cores
_PROCESSED = re.compile(r"number of transactions actually processed: (\d+)")


def run(worlds: Worlds, database: str, workload: Workload, clients: int, time: Time) -> Tally:
    """Run a workload by so many connections, one transaction a statement; what came of it."""
    url = conninfo_to_dict(worlds.urls(database).server)
    with tempfile.TemporaryDirectory() as folder:
        script = Path(folder, "script.sql")
        script.write_text(workload.script)
        command = [
            f"{worlds.programs}/pgbench", "--no-vacuum", "--protocol", "prepared", "--file", f"{script}",
            "--client", str(clients), "--jobs", str(min(clients, _THREADS)),
            "--time", str(round(time.warmup + time.seconds)),
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
    for file in folder.glob("log.*"):
        for line in file.read_text().splitlines():
            _, _, microseconds, _, second, fraction = line.split()[:6]
            ended.append((int(second) + int(fraction) / 1e6, int(microseconds) / 1e6))
    start = max((at for at, _ in ended), default=0.0) - time.seconds
    return [latency for at, latency in ended if at >= start]
