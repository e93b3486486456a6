"""AtlasDB's one-line timestamp files: what Java reads, what it refuses, and that writing is all or nothing."""

import os
from pathlib import Path
from unittest import mock

import pytest

from atlasdb_recovery.atlas import timestamp_file
from atlasdb_recovery.atlas.timestamp_file import MalformedTimestampFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "backup.timestamp"


@pytest.mark.parametrize(
    ("content", "timestamp"),
    [
        (b"10001\n", 10001),
        (b"10001", 10001),
        (b"10001\r\n", 10001),
        (b"10001\r", 10001),
        (b" \t10001  \n", 10001),
        (b"+5\n", 5),
        (b"-1\n", -1),
        (b"0\n", 0),
        (b"000000000000000000000000000000042\n", 42),
        (b"9223372036854775807\n", 2**63 - 1),
        (b"-9223372036854775808\n", -(2**63)),
    ],
)
def test_one_line_with_one_number_is_read(path: Path, content: bytes, timestamp: int) -> None:
    path.write_bytes(content)
    assert timestamp_file.read(path) == timestamp


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n", "line 1: “” is not a timestamp"),
        (b"10001\n\n", "line 2: there is a second line"),
        (b"10001\n20001\n", "second line, “20001”"),
        (b"\n10001\n", "second line, “10001”"),
        (b"10001\r\n\r\n", "second line"),
        (b"\xef\xbb\xbf10001\n", "byte order mark"),
        (b"\xff\xfe1\x000\x00", "byte order mark"),
        (b"ten\n", "line 1: “ten” is not a timestamp"),
        (b"1_000\n", "is not a timestamp"),
        (b"10L\n", "is not a timestamp"),
        (b"1 0\n", "is not a timestamp"),
        (b"1.0\n", "is not a timestamp"),
        (b"0x10\n", "is not a timestamp"),
        (b"--1\n", "is not a timestamp"),
        (b"+\n", "is not a timestamp"),
        ("１２\n".encode(), "is not a timestamp"),
        (b"9223372036854775808\n", "9223372036854775808 does not fit 64 bits"),
        (b"-9223372036854775809\n", "does not fit 64 bits"),
        (b"1" * 30, "is not a timestamp"),
        (b"5\x00\n", r"“5\\x00” is not a timestamp"),
        (b"\x1b[31m5\n", r"“\\x1b\[31m5”"),
        (b" " * 4095 + b"56", "longer than 4096 bytes"),
    ],
)
def test_anything_else_is_refused_with_file_line_and_remedy(path: Path, content: bytes, reason: str) -> None:
    path.write_bytes(content)
    with pytest.raises(MalformedTimestampFile, match=reason) as refused:
        timestamp_file.read(path)
    assert str(refused.value).startswith(f"timestamp file {path}: ")
    assert str(refused.value).count(". ") == 1


def test_a_file_that_cannot_be_opened_is_refused_in_the_same_words(path: Path) -> None:
    with pytest.raises(MalformedTimestampFile, match="No such file or directory. Check the path"):
        timestamp_file.read(path)
    with pytest.raises(MalformedTimestampFile, match="Is a directory"):
        timestamp_file.read(path.parent)


@pytest.mark.parametrize("timestamp", [1, 10001, 2**63 - 1, -(2**63)])
def test_what_is_written_is_one_line_and_is_read_back(tmp_path: Path, timestamp: int) -> None:
    path = tmp_path / "new" / "deeper" / "backup.timestamp"
    timestamp_file.write(path, timestamp)
    assert path.read_bytes() == b"%d\n" % timestamp
    assert timestamp_file.read(path) == timestamp
    assert [entry.name for entry in path.parent.iterdir()] == ["backup.timestamp"]


def test_an_existing_file_is_replaced(path: Path) -> None:
    path.write_bytes(b"987654321987654321\n")
    timestamp_file.write(path, 5)
    assert path.read_bytes() == b"5\n"


def test_more_than_64_bits_are_not_written(path: Path) -> None:
    with pytest.raises(ValueError, match="does not fit 64 bits"):
        timestamp_file.write(path, 2**63)
    assert not path.exists()


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path: Path) -> None:
    timestamp_file.write(path, 5)
    full = mock.patch.object(os, "fsync", side_effect=OSError(28, "No space left on device"))
    with full, pytest.raises(OSError, match="No space left"):
        timestamp_file.write(path, 6)
    assert timestamp_file.read(path) == 5
    assert [entry.name for entry in path.parent.iterdir()] == ["backup.timestamp"]


def test_the_content_is_on_disk_before_the_name_and_the_name_before_the_return(path: Path) -> None:
    synced: list[str] = []
    replace, fsync = Path.replace, os.fsync

    def noted_fsync(descriptor: int) -> None:
        synced.append("directory" if Path(f"/proc/self/fd/{descriptor}").resolve().is_dir() else "file")
        fsync(descriptor)

    def noted_replace(part: Path, target: Path) -> Path:
        synced.append("rename")
        return replace(part, target)

    with mock.patch.object(os, "fsync", noted_fsync), mock.patch.object(Path, "replace", noted_replace):
        timestamp_file.write(path, 5)
    assert synced == ["file", "rename", "directory"]
