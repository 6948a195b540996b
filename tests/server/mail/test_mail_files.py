"""Messages as files: whole, private, limited in number and age."""

import os
import stat
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest

from busware.server.mail.delivery import NotDelivered
from busware.server.mail.mail_files import MessageFiles
from busware.server.settings import Settings

DAY_SECONDS = timedelta(days=1).total_seconds()


def mail(text: str = "Seat 7") -> EmailMessage:
    """A mail."""
    made = EmailMessage()
    made["Subject"] = "Ticket"
    made.set_content(text)
    return made


def names(folder: Path) -> set[str]:
    """The names of all files in a folder."""
    return {file.name for file in folder.iterdir()}


def test_mail_is_written_as_a_whole_and_for_the_user_only(tmp_path: Path) -> None:
    files = MessageFiles(Settings(data=tmp_path / "data"))
    files.write_mail(mail(), "a")
    assert names(files.folder) == {"a.eml"}
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert "Seat 7" in (files.folder / "a.eml").read_text()


def test_mail_that_is_written_again_replaces_its_file(tmp_path: Path) -> None:
    files = MessageFiles(Settings(data=tmp_path))
    files.write_mail(mail("first"), "a")
    files.write_mail(mail("second"), "a")
    assert names(files.folder) == {"a.eml"}
    assert "second" in (files.folder / "a.eml").read_text()


def test_oldest_files_are_deleted_beyond_the_number(tmp_path: Path) -> None:
    files = MessageFiles(Settings(data=tmp_path, mail_files=2))
    for n, name in enumerate("abc"):
        files.write_mail(mail(), name)
        at = files.folder.stat().st_mtime - 100 + n
        os.utime(files.folder / f"{name}.eml", (at, at))
    files.write_text("+919845012345", "Seat 7", "d")
    assert names(files.folder) == {"c.eml", "d.txt"}


def test_files_are_deleted_beyond_the_age(tmp_path: Path) -> None:
    files = MessageFiles(Settings(data=tmp_path, mail_file_days=2))
    for name, days in (("old", 3), ("new", 1)):
        files.write_mail(mail(), name)
        at = files.folder.stat().st_mtime - days * DAY_SECONDS
        os.utime(files.folder / f"{name}.eml", (at, at))
    files.write_mail(mail(), "now")
    assert names(files.folder) == {"new.eml", "now.eml"}


def test_mail_is_tried_again_if_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("not a folder")
    with pytest.raises(NotDelivered, match="cannot be written"):
        MessageFiles(Settings(data=tmp_path)).write_mail(mail(), "a")
