"""The installation of docs/scaling.md on loopback: etcd, three nodes with Patroni and PostgreSQL, HAProxy.

The programs are Debian's; the configuration is that of the folder ha/. A node is the group of processes whose
working directory is below the node's folder, so that a test can end or freeze all of it at once, as the
failure of a machine does.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import urllib.request
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import psycopg

from tests.support.line_client import wait_until
from tests.support.processes import wait_for_end
from tests.support.project import PROJECT

HA = PROJECT / "ha"
PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))  # Debian's; the last one is used
NEEDED = ("etcd", "haproxy", "patroni", "patronictl", "setpriv")
SCOPE = "busware"  # in patroni.yml
START_SECONDS = 120  # until a new cluster, or a node that returns, is complete
_API_SECONDS = 2.0  # for an answer of Patroni
_POLL_SECONDS = 0.1  # between two questions to Patroni
_ROLES = {"sync": "sync_standby", "async": "replica"}  # by pg_stat_replication.sync_state
_OWNER, _SERVER, _SUPERUSER = "owner", "server", "superuser"  # passwords


def reason_to_skip() -> str:
    """The reason why there can be no installation here; empty if there can be one."""
    missing = [program for program in NEEDED if not shutil.which(program, path=_search_path())]
    missing += [] if PROGRAMS else ["postgresql"]
    return f"missing: {', '.join(missing)}; .ci/run installs them" if missing else ""


def _search_path() -> str:
    return f"{HA}:{os.environ['PATH']}:/usr/sbin"


def _unused_ports(count: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [opened.getsockname()[1] for opened in sockets]


class Member:
    """A program that runs in a folder of its own, with all the processes that it starts."""

    def __init__(self, folder: Path, command: list[str], environment: dict[str, str]) -> None:
        self.folder = folder
        self._command, self._environment = command, environment
        folder.mkdir(mode=0o700)
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:  # PostgreSQL and Patroni do not run as root
            entry = pwd.getpwnam("postgres")
            self._user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
            os.chown(folder, entry.pw_uid, entry.pw_gid)

    @property
    def log(self) -> Path:
        return self.folder / "log"

    def end_of_log(self) -> str:
        """The last lines of the log."""
        return "".join(self.log.read_text(errors="replace").splitlines(keepends=True)[-20:])

    def start(self) -> None:
        """Start the program. Its output is added to the log."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig=KILL", *self._command],
                cwd=self.folder,
                env={"PATH": _search_path(), "LC_ALL": "C.UTF-8", **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **self._user,
            )

    def processes(self) -> list[int]:
        """The ids of all its processes."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdecimal():
                with suppress(OSError):  # it has just ended, or it belongs to another user
                    if Path(os.readlink(entry / "cwd")).is_relative_to(self.folder):
                        found.append(int(entry.name))
        return found

    def send(self, number: signal.Signals) -> list[int]:
        """Send a signal to all its processes. Returns their ids."""
        pids = self.processes()
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, number)
        return pids

    def freeze(self) -> None:
        """Stop all its processes until `send(SIGCONT)`."""
        stopped: set[int] = set()
        while stopped < (now := {*stopped, *self.send(signal.SIGSTOP)}):  # one may have started another
            stopped = now

    def kill(self) -> None:
        """End all its processes at the same moment, as a power failure does."""
        self.freeze()
        ended = self.send(signal.SIGKILL)
        self._process.wait()
        wait_for_end(ended)


class Node(Member):
    """A machine of the cluster: Patroni and its PostgreSQL.

    port: of PostgreSQL. api: the port of Patroni's REST API.
    """

    def __init__(self, folder: Path, name: str, etcd: int) -> None:
        self.name = name
        self.port, self.api = _unused_ports(2)
        address, api = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.api}"
        environment = {
            "PATRONI_NAME": name,
            "PATRONI_ETCD_HOSTS": f"127.0.0.1:{etcd}",
            "PATRONI_RESTAPI_LISTEN": api,
            "PATRONI_RESTAPI_CONNECT_ADDRESS": api,
            "PATRONI_POSTGRESQL_LISTEN": address,
            "PATRONI_POSTGRESQL_CONNECT_ADDRESS": address,
            "PATRONI_POSTGRESQL_DATA_DIR": str(folder / "postgres"),
            "PATRONI_POSTGRESQL_BIN_DIR": str(PROGRAMS[-1].parent),
            "PATRONI_POSTGRESQL_PGPASS": str(folder / "pgpass"),
            "PATRONI_SUPERUSER_USERNAME": "postgres",
            "PATRONI_SUPERUSER_PASSWORD": _SUPERUSER,
            "PATRONI_REPLICATION_USERNAME": "replicator",
            "PATRONI_REPLICATION_PASSWORD": _SUPERUSER,
            "BUSWARE_OWNER_PASSWORD": _OWNER,
            "BUSWARE_SERVER_PASSWORD": _SERVER,
        }
        super().__init__(folder, ["patroni", str(HA / "patroni.yml")], environment)

    def postmaster(self) -> int:
        """The process id of its PostgreSQL."""
        return int((self.folder / "postgres" / "postmaster.pid").read_text().split("\n", 1)[0])

    def connect(self, **options: Any) -> psycopg.Connection[Any]:
        """A connection to this PostgreSQL as the owner of the database, which the caller closes."""
        url = f"postgresql://busware_owner:{_OWNER}@127.0.0.1:{self.port}/busware"
        return psycopg.connect(url, autocommit=True, connect_timeout=5, **options)

    def position(self) -> str:
        """The position in the log up to which it has written or replayed."""
        with self.connect() as conn:
            ((position,),) = conn.execute(
                "SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() "
                "ELSE pg_current_wal_lsn() END::text"
            ).fetchall()
            return str(position)

    def state(self) -> dict[str, Any]:
        """What its Patroni reports about it; {} if it does not answer, or not yet."""
        url = f"http://127.0.0.1:{self.api}/patroni"
        try:
            with urllib.request.urlopen(url, timeout=_API_SECONDS) as answer:
                state: dict[str, Any] = json.load(answer)
        except OSError:
            return {}
        return state


class PatroniCluster:
    """etcd, three nodes and HAProxy. port: HAProxy's, which leads to the primary.

    folder: an empty folder that every user may enter.
    """

    def __init__(self, folder: Path) -> None:
        self.port, client, peer = _unused_ports(3)
        self._api = f"127.0.0.1:{client}"
        urls = f"http://{self._api}", f"http://127.0.0.1:{peer}"
        self.etcd = Member(
            folder / "etcd",
            ["etcd", "--enable-v2=true", "--data-dir=data", "--initial-cluster", f"default={urls[1]}",
             "--listen-client-urls", urls[0], "--advertise-client-urls", urls[0],
             "--listen-peer-urls", urls[1], "--initial-advertise-peer-urls", urls[1]],
            {},
        )  # fmt: skip
        self.nodes = [Node(folder / name, name, client) for name in ("node1", "node2", "node3")]
        addresses = {"HA_LISTEN": f"127.0.0.1:{self.port}"}
        for n, node in enumerate(self.nodes, 1):
            addresses |= {f"HA_NODE{n}": f"127.0.0.1:{node.port}", f"HA_API{n}": str(node.api)}
        self.haproxy = Member(
            folder / "haproxy", ["haproxy", "-db", "-f", str(HA / "haproxy.cfg")], addresses
        )

    def __enter__(self) -> "PatroniCluster":
        with ExitStack() as stack:
            for member in (self.etcd, *self.nodes, self.haproxy):
                member.start()
                stack.callback(member.kill)
            self.wait_until_complete()
            self._members = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._members.close()

    def url(self, role: str = "busware") -> str:
        """The URL of the database through HAProxy, for the server's role or the owner's."""
        password = _SERVER if role == "busware" else _OWNER
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/busware"

    def find(self, role: str) -> Node:
        """The node that has a role in the complete cluster: primary, sync_standby or replica."""
        return wait_until(self._roles, START_SECONDS, _POLL_SECONDS)[role]

    def wait_until_complete(self) -> None:
        """Wait until there are a primary, a synchronous standby and another standby that replicates."""
        try:
            self.find("primary")
        except AssertionError as error:
            logs = "\n".join(f"{m.folder.name}:\n{m.end_of_log()}" for m in (self.etcd, *self.nodes))
            raise AssertionError(f"the cluster is not complete\n{logs}") from error

    def _roles(self) -> dict[str, Node]:
        """The nodes by role; empty if the cluster is not complete."""
        states = {node: node.state() for node in self.nodes}
        if {state.get("state") for state in states.values()} != {"running"}:
            return {}
        primaries = [node for node, state in states.items() if state["role"] in ("master", "primary")]
        if len(primaries) != 1:
            return {}
        roles = {"primary": primaries[0]}
        by_name = {node.name: node for node in self.nodes}
        for standby in states[primaries[0]].get("replication", ()):
            name = standby["application_name"]  # pg_basebackup while it copies the primary
            if standby["state"] == "streaming" and name in by_name:
                roles[_ROLES.get(standby["sync_state"], "")] = by_name[name]
        return roles if roles.keys() == {"primary", *_ROLES.values()} else {}

    def switch_over(self) -> None:
        """Make the synchronous standby the primary, as planned; returns when Patroni has done it."""
        settings = {"scope": SCOPE, "etcd": {"hosts": self._api}}
        configuration = self.etcd.folder / "patronictl.yml"
        configuration.write_text(json.dumps(settings))
        primary, standby = self.find("primary"), self.find("sync_standby")
        subprocess.run(
            ["patronictl", "-c", str(configuration), "switchover", SCOPE, "--master", primary.name,
             "--candidate", standby.name, "--force"],
            check=True, capture_output=True,
        )  # fmt: skip
