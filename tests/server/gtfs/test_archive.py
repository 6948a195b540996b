"""Archives that are not a feed, are damaged, or exceed a limit: each is refused with what is wrong."""

import io
import re
import zipfile
from pathlib import Path
from typing import Any

import pytest

from busware.server.gtfs.archive import FeedError
from busware.server.gtfs.importing import read
from busware.server.gtfs.mapping import Options
from busware.server.settings import Settings
from tests.support.gtfs import FEED, archive, changed, read_files


def refusal(folder: Path, files: dict[str, Any] | None = None, **limits: int) -> str:
    with pytest.raises(FeedError) as refused:
        read_files(folder, files, **limits)
    return str(refused.value)


def nested() -> dict[str, Any]:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as feed:
        feed.writestr("agency.txt", FEED["agency.txt"])
    return dict.fromkeys(FEED) | {"feed.zip": inner.getvalue()}


@pytest.mark.parametrize(
    ("files", "limits", "message"),
    [
        ({"stops.txt": None}, {}, "stops.txt is missing. A feed must have this file."),
        (
            {"calendar.txt": None, "calendar_dates.txt": None},
            {},
            "calendar.txt is missing. A feed must have this file.",
        ),
        (
            dict.fromkeys(FEED) | {f"my feed/{name}": text for name, text in FEED.items()},
            {},
            "agency.txt is missing: the archive has my feed/agency.txt. "
            "The files of a feed are at its top level.",
        ),
        (
            nested(),
            {},
            "agency.txt is missing: the archive has feed.zip. Unpack it, and import feed.zip.",
        ),
        (
            {"../stops.txt": "x"},
            {},
            "The archive has a file '../stops.txt'. A file of a feed has a name without a path.",
        ),
        (
            {"/etc/passwd": "x"},
            {},
            "The archive has a file '/etc/passwd'. A file of a feed has a name without a path.",
        ),
        ({}, {"gtfs_files": 3}, f"The archive has {len(FEED)} files. BUSWARE_GTFS_FILES allows 3."),
        (
            {"stops.txt": "stop_id\n" + 2000 * "A\n"},
            {"gtfs_file_bytes": 2000},
            "stops.txt: the file has 4008 bytes. BUSWARE_GTFS_FILE_BYTES allows 2000.",
        ),
        (
            {},
            {"gtfs_rows": 10},
            "trips.txt: the feed has more rows than BUSWARE_GTFS_ROWS allows, 10.",
        ),
        (
            {"stops.txt": ""},
            {},
            "stops.txt:1: the file is empty; its first line has the names of the columns.",
        ),
        (
            {"stops.txt": "stop_name,stop_lat\n"},
            {},
            "stops.txt:1: the column stop_id is missing. The file has: stop_name, stop_lat.",
        ),
        ({"stops.txt": "stop_id,stop_id\n"}, {}, "stops.txt:1: the column stop_id is there twice."),
        (
            {"stops.txt": FEED["stops.txt"].replace("Hill Road", "Hôtel").encode("latin-1")},
            {},
            "stops.txt:3: the line is not UTF-8. Save the file in UTF-8.",
        ),
        (
            {"stops.txt": FEED["stops.txt"].encode("utf-16")},
            {},
            "stops.txt:1: the line has a NUL byte. A feed is text in UTF-8.",
        ),
        (
            changed("stops.txt", "Hill Road", '"Hill" Road'),
            {},
            "stops.txt:3: the quotes or the line are broken: ',' expected after '\"'.",
        ),
        (
            changed("stops.txt", "Hill Road", '"Hill Road'),
            {},
            "stops.txt:3: the quotes or the line are broken: unexpected end of data.",
        ),
        (
            {"stops.txt": "stop_id\n" + 1_000_000 * "ab" + "\n"},
            {"gtfs_ratio": 2000},
            "stops.txt:2: the line is longer than 1000000 bytes.",
        ),
    ],
)  # fmt: skip
def test_archive_is_refused(
    tmp_path: Path, files: dict[str, Any], limits: dict[str, int], message: str
) -> None:
    assert refusal(tmp_path, files, **limits) == message


def test_file_with_too_high_a_compression_is_refused(tmp_path: Path) -> None:
    message = refusal(tmp_path, {"stops.txt": 10_000_000 * "0"})
    assert re.fullmatch(
        r"stops\.txt: the file is 10\d\d times as large as its compressed form\. "
        r"BUSWARE_GTFS_RATIO allows 200\.",
        message,
    )


def test_file_that_is_no_archive_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "feed.zip"
    path.write_text("stop_id,stop_name\n")
    with pytest.raises(FeedError, match="is not a zip archive: File is not a zip file"):
        read(path, Options(), Settings())
    with pytest.raises(FeedError, match=r"none\.zip cannot be read: No such file or directory"):
        read(tmp_path / "none.zip", Options(), Settings())


def test_damaged_archive_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as feed:
        start = feed.getinfo("stops.txt").header_offset + 50
    path.write_bytes(whole[:start] + bytes(20) + whole[start + 20 :])
    with pytest.raises(FeedError, match=r"stops\.txt: the archive is damaged: |stops\.txt:\d+: "):
        read(path, Options(), Settings())


def test_encrypted_file_is_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    text = bytearray(path.read_bytes())
    entry = text.index(b"PK\x01\x02")
    while text[entry + 46 :].startswith(b"stops.txt") is False:
        entry = text.index(b"PK\x01\x02", entry + 1)
    text[entry + 8] |= 1
    path.write_bytes(text)
    with pytest.raises(
        FeedError, match=r"^stops\.txt: the file is encrypted\. Import an archive without a password\.$"
    ):
        read(path, Options(), Settings())


def test_two_files_of_one_name_are_refused(tmp_path: Path) -> None:
    path = archive(tmp_path)
    with zipfile.ZipFile(path, "a") as feed, pytest.warns(UserWarning, match="Duplicate name"):
        feed.writestr("stops.txt", FEED["stops.txt"])
    with pytest.raises(FeedError, match=r"^stops\.txt: the archive has two files of this name\.$"):
        read(path, Options(), Settings())


def test_byte_order_mark_and_empty_lines_are_accepted(tmp_path: Path) -> None:
    stops = "\ufeff" + FEED["stops.txt"].replace("\n", "\r\n\r\n")
    content = read_files(tmp_path, {"stops.txt": stops})
    assert content.remarks.faults == []
    assert content.feed.stops["HILL"].line == 5


def test_other_files_are_ignored(tmp_path: Path) -> None:
    content = read_files(tmp_path, {"shapes.txt": "shape_id\n", "__MACOSX/stops.txt": "x", "notes.md": "x"})
    assert content.unread == ["__MACOSX/stops.txt", "notes.md", "shapes.txt"]
    assert content.remarks.faults == []
