"""The subcommand health (server/health.py): plain, over TLS, and when the server is not ready."""

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
def plain(http: HttpClient, server: SimpleNamespace) -> Settings:
    """The settings of a server without TLS, with the port it has taken."""
    settings: Settings = dataclasses.replace(server.settings, http_port=http.server.port)
    return settings


@pytest.fixture
def sealed(server: SimpleNamespace, tmp_path: Path) -> Iterator[Settings]:
    """The settings of a server with TLS, whose certificate names another host."""
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    issued = trustme.CA().issue_cert("busware.example")
    issued.private_key_pem.write_to_path(key)
    issued.cert_chain_pems[0].write_to_path(certificate)
    http = HttpServer(server.settings, server.operations, server_context(certificate, key))
    http.start()
    yield dataclasses.replace(server.settings, http_port=http.port, tls_cert=certificate, tls_key=key)
    http.drain()


def test_ready_server_passes(plain: Settings) -> None:
    check(plain)


def test_ready_server_with_tls_passes(sealed: Settings) -> None:
    check(sealed)


@pytest.mark.settings(read_wait_seconds=0.2)
def test_server_without_database_fails(plain: Settings, database: Database) -> None:
    database.query("ALTER DATABASE test CONNECTION LIMIT 0")
    database.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'busware'")
    with pytest.raises(NotReady, match="GET /readyz answers 503"):
        check(plain)


def test_stopped_server_fails(plain: Settings, http: HttpClient) -> None:
    http.server.drain()
    with pytest.raises(NotReady, match=f"no answer from 127.0.0.1:{plain.http_port}"):
        check(plain)


def test_command_exits_by_readiness(plain: Settings, http: HttpClient) -> None:
    def run() -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "busware.server", "health"],
            env={"BUSWARE_HTTP_PORT": str(plain.http_port)},
            capture_output=True,
            text=True,
            check=False,
        )

    ready = run()
    assert (ready.returncode, ready.stdout) == (0, f"The server on 127.0.0.1:{plain.http_port} is ready.\n")
    http.server.drain()
    refused = run()
    assert refused.returncode == 1
    assert refused.stderr.startswith("busware: no answer from 127.0.0.1:")
