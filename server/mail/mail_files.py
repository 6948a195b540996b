"""Mails and short messages as files in the data folder, for a server without mail settings.

A mail is a file that mail programs open, KEY.eml; a short message is KEY.txt. The number and the age of the
files are limited: the oldest are deleted after a new one was written.
"""

import os
import time
from contextlib import suppress
from email.message import EmailMessage
from pathlib import Path

from busware.server.mail.delivery import NotDelivered
from busware.server.settings import Settings

_SECONDS_OF_DAY = 86400


class MessageFiles:
    """Writes messages as files. Several processes may share the folder."""

    def __init__(self, settings: Settings) -> None:
        self.folder = settings.data / "mail"
        self._most = settings.mail_files
        self._max_age_seconds = settings.mail_file_days * _SECONDS_OF_DAY

    def write_mail(self, mail: EmailMessage, name: str) -> None:
        """Write a mail. Raises NotDelivered if the disk is full, for example."""
        self._write(f"{name}.eml", mail.as_bytes())

    def write_text(self, to: str, text: str, name: str) -> None:
        """Write a short message. Raises NotDelivered."""
        self._write(f"{name}.txt", f"To: {to}\n\n{text}\n".encode())

    def _write(self, name: str, content: bytes) -> None:
        """Write a file as a whole or not at all. A message that is written again replaces its file."""
        part = self.folder / f".{name}.{os.getpid()}"
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            part.write_bytes(content)
            part.replace(self.folder / name)
            self._delete_old()
        except OSError as error:
            raise NotDelivered(f"{self.folder / name} cannot be written: {error}") from None

    def _delete_old(self) -> None:
        """Delete the files beyond the limits. Another process may delete the same files."""
        files: list[tuple[float, Path]] = []
        for file in self.folder.iterdir():
            with suppress(FileNotFoundError):
                files.append((file.stat().st_mtime, file))
        files.sort(reverse=True)
        oldest = time.time() - self._max_age_seconds
        for n, (written_at, file) in enumerate(files):
            if n >= self._most or written_at < oldest:
                file.unlink(missing_ok=True)
