"""Reports to systemd: when the server serves, and when it begins to stop."""

import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from busware.server import systemd
from tests.conftest import WAIT_SECONDS
from tests.support.processes import ServerProcess, fail_to_start, postmaster

pytestmark = pytest.mark.system


@pytest.fixture
def reports(data_folder: Path) -> Iterator[socket.socket]:
    """The socket of systemd, in a folder that every process may use."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind(str(data_folder / "notify"))
        (data_folder / "notify").chmod(0o777)
        receiver.settimeout(WAIT_SECONDS)
        yield receiver


def left(receiver: socket.socket) -> list[bytes]:
    """The datagrams that have been received and not been read."""
    receiver.setblocking(False)
    found = []
    try:
        while True:
            found.append(receiver.recv(1000))
    except BlockingIOError:
        return found


@pytest.mark.parametrize("processes", ["1", "2"])
def test_server_reports_its_start_and_its_stop(
    reports: socket.socket, data_folder: Path, processes: str
) -> None:
    folder, address = data_folder / "data", reports.getsockname()
    with ServerProcess("0", "--data", str(folder), "--processes", processes, NOTIFY_SOCKET=address) as server:
        assert reports.recv(1000) == b"READY=1"
        environment = Path(f"/proc/{postmaster(folder)}/environ").read_bytes()
        assert b"PATH=" in environment
        assert b"NOTIFY_SOCKET=" not in environment
        assert server.end(signal.SIGTERM)[0] == 0
    assert left(reports) == [b"STOPPING=1"]  # no child process has sent anything


def test_server_that_does_not_start_reports_nothing(reports: socket.socket, data_folder: Path) -> None:
    (data_folder / "data").mkdir()
    (data_folder / "data" / "other").touch()
    status, _ = fail_to_start("0", "--data", str(data_folder / "data"), NOTIFY_SOCKET=reports.getsockname())
    assert status == 1
    assert left(reports) == []


def test_abstract_socket_gets_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as receiver:
        receiver.bind("")  # the kernel chooses an abstract name
        receiver.settimeout(WAIT_SECONDS)
        monkeypatch.setenv("NOTIFY_SOCKET", "@" + receiver.getsockname()[1:].decode())
        systemd.Reports().send(systemd.READY)
        assert receiver.recv(1000) == b"READY=1"
    assert "NOTIFY_SOCKET" not in os.environ


def test_missing_socket_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    systemd.Reports().send(systemd.STOPPING)
    assert f"systemd does not receive STOPPING=1 at {tmp_path}/nobody" in caplog.text
