"""The TLS certificate of both ports is loaded again when its files change."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace

import pytest
import trustme

from busware.server.certificates import CertificateReloader
from busware.server.http import HttpServer
from busware.server.tcp.server import TcpServer
from busware.server.tls import server_context
from tests.conftest import WAIT_SECONDS
from tests.support.line_client import wait_until

PING = b'{"jsonrpc":"2.0","id":1,"method":"ping"}\n'
GET = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Server:
    """Both ports with TLS. authority: of all certificates; files: the certificate and the key."""

    def __init__(self, server: SimpleNamespace, folder: Path, stack: ExitStack) -> None:
        self.authority = trustme.CA()
        self.files = folder / "certificate.pem", folder / "key.pem"
        self.issued = self.issue()
        context = server_context(*self.files)
        reloader = CertificateReloader(context, *self.files, check_seconds=0.01)
        reloader.start()
        stack.callback(reloader.stop)
        tcp = TcpServer(server.settings, server.operations, server.pusher, context)
        http = HttpServer(server.settings, server.operations, context)
        for port in (tcp, http):
            port.start()
            stack.callback(port.drain)
        self.ports = tcp.port, http.port
        self._stack = stack

    def issue(self) -> bytes:
        """Replace both files by a new pair, the key first. Returns the certificate in DER format."""
        issued = self.authority.issue_cert("127.0.0.1")
        issued.private_key_pem.write_to_path(self.files[1])
        issued.cert_chain_pems[0].write_to_path(self.files[0])
        return ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())

    def connect(self, port: int) -> ssl.SSLSocket:
        """A connection, whose certificate is verified."""
        context = ssl.create_default_context()
        self.authority.configure_trust(context)
        plain = socket.create_connection(("127.0.0.1", port), timeout=WAIT_SECONDS)
        return self._stack.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))

    def certificates(self) -> list[bytes | None]:
        """The certificates that a new connection on each port gets."""
        return [self.connect(port).getpeercert(binary_form=True) for port in self.ports]


@pytest.fixture
def tls(server: SimpleNamespace, tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        yield Server(server, tmp_path, stack)


def test_new_connections_get_the_new_certificate_and_others_stay(tls: Server) -> None:
    line, http = map(tls.connect, tls.ports)
    assert tls.certificates() == [tls.issued] * 2
    renewed = tls.issue()
    assert renewed != tls.issued
    wait_until(lambda: tls.certificates() == [renewed] * 2)
    for connection, request, reply in ((line, PING, b'{"jsonrpc"'), (http, GET, b"HTTP/1.1 200")):
        connection.sendall(request)
        assert connection.recv(4096).startswith(reply)


def test_a_link_to_another_file_is_a_change(tls: Server, tmp_path: Path) -> None:
    renewed = tls.issue()
    for file in tls.files:
        file.rename(tmp_path / f"renewed-{file.name}")
        link = tmp_path / f"link-{file.name}"
        link.symlink_to(f"renewed-{file.name}")
        link.rename(file)
    wait_until(lambda: tls.certificates() == [renewed] * 2)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("damage", ["of another pair", "incomplete", "missing"])
def test_files_that_cannot_be_used_are_logged_once_and_the_certificate_stays(
    tls: Server, tmp_path: Path, which: int, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    file, other = tls.files[which], tls.authority.issue_cert("127.0.0.1")
    damaged = tmp_path / "damaged.pem"
    if damage == "missing":
        file.unlink()
    else:
        whole = (other.cert_chain_pems[0], other.private_key_pem)[which].bytes()
        damaged.write_bytes(whole[:100] if damage == "incomplete" else whole)
        damaged.rename(file)
    wait_until(lambda: "cannot be used" in caplog.text)
    assert tls.certificates() == [tls.issued] * 2
    assert caplog.text.count("cannot be used") == 1
    renewed = tls.issue()
    wait_until(lambda: tls.certificates() == [renewed] * 2)
