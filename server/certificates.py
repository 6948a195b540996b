"""Loads the TLS certificate again when its files change, so that a renewed one needs no restart."""

import logging
import ssl
from pathlib import Path

from busware.server.tls import server_context
from busware.server.worker_thread import WorkerThread

log = logging.getLogger("busware.certificates")


class CertificateReloader:
    """Replaces the certificate of a TLS context; each later handshake uses the newest one that was loaded.

    Connections that exist are not affected. A context cannot be changed while it is in use: if the new key
    did not fit the new certificate, the context would have neither. So each pair is loaded into a context of
    its own. A handshake begins with the given context, and takes the newest one at the client's hello.
    """

    def __init__(self, context: ssl.SSLContext, certificate: Path, key: Path, check_seconds: float) -> None:
        self._files = (certificate, key)
        self._check_seconds = check_seconds
        self._versions: list[tuple[int, ...] | None] = []  # of the files, at the last attempt to load them
        self._newest = context
        context.sni_callback = self._use_newest  # called for every hello, also without a server name
        self._worker = WorkerThread("certificate", self._check)

    def start(self) -> None:
        """Check the files now, and then again after each interval."""
        self._worker.schedule()
        self._worker.start()

    def stop(self) -> None:
        """Stop checking."""
        self._worker.stop()

    def _use_newest(self, tls: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
        tls.context = self._newest

    def _check(self) -> float:
        """Load the files if they have changed since the last attempt, so that a failure is logged once."""
        versions = [_version(file) for file in self._files]
        if versions != self._versions:
            self._versions = versions
            try:
                self._newest = server_context(*self._files)
                log.info("loaded the TLS certificate %s", self._files[0])
            except OSError as error:  # ssl.SSLError is a subclass
                log.warning(
                    "%s and %s cannot be used: %s. The certificate that was loaded before stays in use.",
                    *self._files, error,
                )  # fmt: skip
        return self._check_seconds


def _version(file: Path) -> tuple[int, ...] | None:
    """What differs after a change of a file, or of the link to it; None if it does not exist."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
