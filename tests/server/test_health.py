"""The subcommand health: with and without TLS, and when the server is not ready."""

import dataclasses
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server.health import NotReady, check
from busware.server.http import HttpServer
from busware.server.settings import Settings
from busware.server.tls import server_context
from tests.conftest import Database
from tests.support.http_client import HttpClient


@pytest.fixture
def plain_settings(http: HttpClient, server: SimpleNamespace) -> Settings:
    """The settings of a running server without TLS."""
    settings: Settings = dataclasses.replace(server.settings, http_port=http.server.port)
    return settings


@pytest.fixture
def tls_settings(server: SimpleNamespace, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a running server with TLS, whose certificate names another host."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued = trustme.CA().issue_cert("busware.example")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(certificate)
    http = HttpServer(server.settings, server.operations, server_context(certificate, key))
    http.start()
    yield dataclasses.replace(server.settings, http_port=http.port, tls_cert=certificate, tls_key=key)
    http.drain()


def test_ready_server_passes(plain_settings: Settings) -> None:
    check(plain_settings)


def test_ready_server_with_tls_passes(tls_settings: Settings) -> None:
    check(tls_settings)


@pytest.mark.settings(read_wait_seconds=0.2)
def test_server_without_database_fails(plain_settings: Settings, database: Database) -> None:
    database.query("ALTER DATABASE test CONNECTION LIMIT 0")
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'busware'")
    with pytest.raises(NotReady, match="GET /readyz answers 503"):
        check(plain_settings)


def test_stopped_server_fails(plain_settings: Settings, http: HttpClient) -> None:
    http.server.drain()
    with pytest.raises(NotReady, match=f"no answer from 127.0.0.1:{plain_settings.http_port}"):
        check(plain_settings)


def test_command_reports_readiness_by_exit_status_and_message(
    plain_settings: Settings, http: HttpClient
) -> None:
    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "busware.server", "health"],
            env={"BUSWARE_HTTP_PORT": str(plain_settings.http_port)},
            capture_output=True,
            text=True,
            check=False,
        )

    ready = run()
    assert (ready.returncode, ready.stdout) == (
        0,
        f"The server on 127.0.0.1:{plain_settings.http_port} is ready.\n",
    )
    http.server.drain()
    stopped = run()
    assert stopped.returncode == 1
    assert stopped.stderr.startswith("busware: no answer from 127.0.0.1:")
