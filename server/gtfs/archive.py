"""The files of a GTFS feed: tables in a zip archive, which are read as a stream and never extracted.

An archive is not trusted: settings limit the number of its files, their size, compression and rows.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from busware.server.settings import Settings

_MAX_LINE_BYTES = 1_000_000
_FILE_NAME = re.compile(r"[\w-]+\.(txt|geojson)", re.ASCII)  # of a file at the top level
_ESCAPES = re.compile(r"(^|/)\.\.(/|$)|^/|\\|^[A-Za-z]:|\0")
_ENCRYPTED = 1  # a bit of ZipInfo.flag_bits


class FeedError(Exception):
    """The feed cannot be read any further. The message says why, and what would be right."""


class Remark(NamedTuple):
    """What is wrong in a line of a file, or is not imported from it. line: 0 for the whole file."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}" if self.line else f"{self.file}: {self.message}"


@dataclass
class Remarks:
    """The faults, for which a feed is refused, and what is left out of a feed that is imported."""

    faults: list[Remark] = field(default_factory=list)
    left_out: list[Remark] = field(default_factory=list)

    def fault(self, file: str, line: int, message: str) -> None:
        """Add a fault."""
        self.faults.append(Remark(file, line, message))

    def leave_out(self, file: str, line: int, message: str) -> None:
        """Add what is left out."""
        self.left_out.append(Remark(file, line, message))


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table: the line on which it begins, and its values."""

    line: int
    values: dict[str, str]

    def __getitem__(self, column: str) -> str:
        """The value in a column; empty if the file does not have the column."""
        return self.values.get(column, "")


class Archive:
    """An open zip archive with a feed. Raises FeedError if the file is no zip archive, or exceeds a limit."""

    def __init__(self, path: Path, settings: Settings) -> None:
        self._settings = settings
        self._rows = 0
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise FeedError(f"{path} cannot be read: {error.strerror or error}.") from None
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise FeedError(f"{path} is not a zip archive: {error}.") from None
        try:
            self._files = self._check_files()
        except FeedError:
            self._zip.close()
            raise
        self.read: set[str] = set()  # the names of the tables that were read

    def __enter__(self) -> "Archive":
        return self

    def __exit__(self, *exc: object) -> None:
        self._zip.close()

    def __contains__(self, name: str) -> bool:
        return name in self._files

    @property
    def unread(self) -> list[str]:
        """The names of the files that were not read, in order."""
        return sorted(info.filename for info in self._zip.infolist() if info.filename not in self.read)

    def rows(self, name: str, columns: tuple[str, ...], remarks: Remarks) -> Iterator[Row]:
        """The rows of a table; none if the archive does not have the file.

        columns: the columns that the file must have. A row without a value in one of them is a fault, and is
        left out. Raises FeedError if the file cannot be read to its end.
        """
        if name not in self._files:
            return
        self.read.add(name)
        header: list[str] = []
        line = 1
        with closing(self._lines(name)) as text:
            lines = csv.reader(text, strict=True)
            try:
                for values in lines:
                    begins, line = line, lines.line_num + 1
                    if not header:
                        header = _checked_header(name, values, columns)
                    elif any(values):
                        self._count_row(name)
                        pairs = zip(header, map(_plain_spaces, values), strict=False)
                        row = Row(begins, dict(pairs))
                        if fault := _fault_of(row, len(values), header, columns):
                            remarks.fault(name, begins, fault)
                        else:
                            yield row
            except csv.Error as error:
                raise FeedError(f"{name}:{line}: the quotes or the line are broken: {error}.") from None
        if not header:
            raise FeedError(f"{name}:1: the file is empty; its first line has the names of the columns.")

    def missing(self, name: str) -> str:
        """Why a file is missing, and what would be right."""
        inside = [info.filename for info in self._zip.infolist()]
        message = f"{name} is missing"
        for other in inside:
            if other.endswith(f"/{name}"):
                return f"{message}: the archive has {other}. The files of a feed are at its top level."
        if archives := [other for other in inside if other.lower().endswith(".zip")]:
            return f"{message}: the archive has {archives[0]}. Unpack it, and import {archives[0]}."
        return f"{message}. A feed must have this file."

    def _check_files(self) -> dict[str, zipfile.ZipInfo]:
        """The files at the top level by name. Raises FeedError."""
        infos = self._zip.infolist()
        settings = self._settings
        if len(infos) > settings.gtfs_files:
            raise FeedError(
                f"The archive has {len(infos)} files. BUSWARE_GTFS_FILES allows {settings.gtfs_files}."
            )
        files: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = info.filename
            if _ESCAPES.search(info.orig_filename) or _ESCAPES.search(name):
                raise FeedError(
                    f"The archive has a file {name!r}. A file of a feed has a name without a path."
                )
            if not _FILE_NAME.fullmatch(name):
                continue
            if name in files:
                raise FeedError(f"{name}: the archive has two files of this name.")
            if info.flag_bits & _ENCRYPTED:
                raise FeedError(f"{name}: the file is encrypted. Import an archive without a password.")
            if info.file_size > settings.gtfs_file_bytes:
                raise FeedError(
                    f"{name}: the file has {info.file_size} bytes. BUSWARE_GTFS_FILE_BYTES allows "
                    f"{settings.gtfs_file_bytes}."
                )
            if info.file_size > settings.gtfs_ratio * max(info.compress_size, 1024):
                raise FeedError(
                    f"{name}: the file is {info.file_size // info.compress_size} times as large as its "
                    f"compressed form. BUSWARE_GTFS_RATIO allows {settings.gtfs_ratio}."
                )
            files[name] = info
        return files

    def _lines(self, name: str) -> Generator[str]:
        """The lines of a file. zipfile reads no more bytes than the size that _check_files has checked."""
        number = 0
        try:
            with self._zip.open(self._files[name]) as raw, io.BufferedReader(raw) as file:  # type: ignore[type-var]
                while line := file.readline(_MAX_LINE_BYTES):
                    number += 1
                    if len(line) == _MAX_LINE_BYTES:
                        raise FeedError(f"{name}:{number}: the line is longer than {_MAX_LINE_BYTES} bytes.")
                    if b"\0" in line:
                        raise FeedError(f"{name}:{number}: the line has a NUL byte. A feed is text in UTF-8.")
                    yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError:
            raise FeedError(f"{name}:{number}: the line is not UTF-8. Save the file in UTF-8.") from None
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise FeedError(f"{name}: the archive is damaged: {error}.") from None

    def _count_row(self, name: str) -> None:
        self._rows += 1
        if self._rows > self._settings.gtfs_rows:
            raise FeedError(
                f"{name}: the feed has more rows than BUSWARE_GTFS_ROWS allows, {self._settings.gtfs_rows}."
            )


def _checked_header(name: str, header: list[str], columns: tuple[str, ...]) -> list[str]:
    header = [column.strip() for column in header]
    if missing := [column for column in columns if column not in header]:
        raise FeedError(f"{name}:1: the column {missing[0]} is missing. The file has: {', '.join(header)}.")
    named = [column for column in header if column]
    if twice := [column for column in named if named.count(column) > 1]:
        raise FeedError(f"{name}:1: the column {twice[0]} is there twice.")
    return header


def _plain_spaces(value: str) -> str:
    """A value without surrounding spaces and line breaks."""
    return " ".join(value.split())


def _fault_of(row: Row, width: int, header: list[str], columns: tuple[str, ...]) -> str:
    """What is wrong in a row; empty if nothing is. width: how many values its line has."""
    if width > len(header):
        return f"the line has {width} values for {len(header)} columns."
    missing = next((column for column in columns if not row[column]), "")
    return missing and f"{missing} has no value."
