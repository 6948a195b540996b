"""Measures the processor time of a read in the primary, and in a standby that executes it instead."""

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import psycopg
from msgspec import Raw

from busware.server.db.deadlines import Deadlines
from busware.server.db.pool import Pool
from busware.server.db.standby import StandbyReads
from busware.server.embedded.data_folder import Urls, open_private
from busware.server.embedded.process import EmbeddedPostgres
from busware.server.settings import Settings
from scripts.benchmark.datasets import MAX_CONNECTIONS, Datasets, InvalidRun
from scripts.benchmark.sides import processor_time
from scripts.benchmark.workloads import SEAT_MAP, Workload, search

READS = {"search-100-10": search(100, 10), "seat-map": SEAT_MAP}
COUNT, WARMUP_COUNT = 5000, 50
_READ = "SELECT 0, refused, answer FROM api.read(%s, %s)"  # as in server/db/reader.py
_BACKENDS = "SELECT pid FROM pg_stat_activity WHERE application_name IN ('busware read', 'busware standby')"


@contextmanager
def standby_of(primary: Urls, programs: Path, folder: Path, options: Mapping[str, str]) -> Iterator[Urls]:
    """Context in which a standby runs in an empty folder. Its roles and passwords are the primary's.

    primary: the owner's URL, and the server's. programs: the folder of PostgreSQL's programs. options: its
    settings. Yields the URLs of the standby.
    """
    with open_private(folder / "urls.env", "w") as file:
        file.write(f"BUSWARE_OWNER_URL={primary.owner}\nDATABASE_URL={primary.server}\n")
    data = folder / "postgres"
    command = [programs / "pg_basebackup", "--dbname", primary.owner, "--pgdata", data]
    subprocess.run([*command, "--checkpoint=fast", "--write-recovery-conf"], check=True)
    if os.geteuid() == 0:  # PostgreSQL does not run as root
        for path in (data, *data.rglob("*")):
            shutil.chown(path, "postgres", "postgres")
    postgres = EmbeddedPostgres(folder, options={**options, "hot_standby": "on"}, programs=programs)
    try:
        yield postgres.start()
    finally:
        postgres.stop()


def measure(datasets: Datasets) -> None:
    """Print the processor time of a read, in microseconds: alone, and with a standby. Raises InvalidRun."""
    print(f"{'':16}{'without standby':>18}{'primary':>10}{'standby':>10}")
    for name, workload in READS.items():
        with datasets.clone(workload.dataset) as database, tempfile.TemporaryDirectory() as folder:
            options = {"max_connections": str(MAX_CONNECTIONS)}
            Path(folder).chmod(0o711)
            with standby_of(datasets.urls("busware"), datasets.programs, Path(folder), options) as urls:
                alone = _read(datasets, database, workload, None)
                shared = _read(datasets, database, workload, urls.server.removesuffix("busware") + database)
        print(f"{name:16}{alone[0]:18.0f}{shared[0]:10.0f}{shared[1]:10.0f}", flush=True)


def _read(
    datasets: Datasets, database: str, workload: Workload, standby_url: str | None
) -> tuple[float, float]:
    """The processor time of a read in the primary and in the standby."""
    settings = Settings(read_connections=1, standby_wait_ms=10_000)
    deadlines = Deadlines(settings)
    pool = Pool(datasets.urls(database).server, settings, deadlines)
    standby = StandbyReads(pool, standby_url, settings, deadlines) if standby_url else None
    pool.open()
    if standby:
        standby.open()
    with datasets.connect(database) as conn:
        lines = [json.loads(line) for (line,) in islice(workload.operations(workload.dataset, conn), COUNT)]
    reads = [(line["method"], Raw(json.dumps(line["params"]).encode())) for line in lines]
    executed = list[str]()
    if standby:
        standby.on_read = executed.append
    try:
        for read in reads[:WARMUP_COUNT]:
            (standby or pool).execute(_READ, read)
        pids = [_backends(datasets.urls(database).owner), _backends(standby_url) if standby_url else []]
        before = [processor_time(group) for group in pids]
        executed.clear()
        for read in reads:
            (standby or pool).execute(_READ, read)
        if executed.count("standby") < len(executed):
            raise InvalidRun("the standby was behind")
        after = [processor_time(group) for group in pids]
    finally:
        if standby:
            standby.close()
        pool.close()
    primary, other = ((end - begin) / COUNT for begin, end in zip(before, after, strict=True))
    return primary, other


def _backends(url: str) -> list[int]:
    with psycopg.connect(url) as conn:
        return [pid for (pid,) in conn.execute(_BACKENDS)]
