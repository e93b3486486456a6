"""The journal keeps what it acknowledged, and shows every change made to it afterwards."""

import errno
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from atlasdb_recovery.atlas.secret import Secret
from atlasdb_recovery.events import (
    AT_WORK,
    AnswerGiven,
    CommandStarted,
    Event,
    FactEstablished,
    LinePrinted,
    Noted,
    StepIntended,
)
from atlasdb_recovery.journal.chain import hash_of
from atlasdb_recovery.journal.record import (
    Journal,
    JournalDamaged,
    JournalError,
    JournalInUse,
    JournalMissing,
    JournalUnwritable,
    MemoryJournal,
    Record,
    journal_path,
)

NOON = datetime(2026, 11, 23, 12, 0, 0, 250_000, tzinfo=UTC)
EVENTS: tuple[Event, ...] = (
    StepIntended(step="repair", fingerprint="ab12", attempt=1),
    LinePrinted(step="repair", source="127.0.0.1", stream="stdout", text="Répair “finished”", at=1.5),
    FactEstablished(step="repair", name="tables", value={"ids": ["a", "b"], "n": 2**63 - 1, "none": None}),
    AnswerGiven(step="repair", name="offline", answer=True, by="terminal"),
    Noted(step="repair", level="warning", text="slow"),
)


def written(state_dir: Path, session: str = "s1") -> Path:
    journal = Journal.create(state_dir, session, clock=lambda: NOON)
    for event in EVENTS:
        journal.append(event, sync=False)
    journal.close()
    return journal.path


def reopened(state_dir: Path, session: str = "s1") -> list[Record]:
    journal = Journal.open(state_dir, session)
    try:
        return list(journal.records())
    finally:
        journal.close()


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    return written(tmp_path_factory.mktemp("state")).read_bytes().splitlines(keepends=True)


def with_content(content: bytes, check: Callable[[Path], None]) -> None:
    with tempfile.TemporaryDirectory() as name:
        path = journal_path(Path(name), "s1")
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        check(Path(name))


def assert_damaged(content: bytes) -> None:
    def check(state_dir: Path) -> None:
        with pytest.raises(JournalDamaged) as caught:
            reopened(state_dir)
        assert f"line {caught.value.line}" in str(caught.value)
        assert journal_path(state_dir, "s1").read_bytes() == content
        assert [p.name for p in journal_path(state_dir, "s1").parent.iterdir()] == ["journal.jsonl"]

    with_content(content, check)


def test_what_was_appended_is_read_back_in_order_with_its_place_in_the_chain(tmp_path: Path) -> None:
    path = written(tmp_path)
    records = reopened(tmp_path)
    assert [record.event for record in records] == list(EVENTS)
    assert [record.seq for record in records] == [1, 2, 3, 4, 5]
    assert {record.at for record in records} == {"2026-11-23T12:00:00.250Z"}
    assert records[0].time == NOON
    lines = path.read_bytes().splitlines(keepends=True)
    assert [record.previous for record in records] == ["0" * 64, *map(hash_of, lines[:-1])]


def test_the_chain_goes_on_where_it_was_left(tmp_path: Path) -> None:
    path = written(tmp_path)
    journal = Journal.open(tmp_path, "s1")
    record = journal.append(Noted(level="note", text="again"))
    journal.close()
    assert (record.seq, record.previous) == (6, hash_of(path.read_bytes().splitlines(keepends=True)[4]))
    assert reopened(tmp_path)[-1] == record


def test_a_copied_state_directory_goes_on_elsewhere(tmp_path: Path) -> None:
    written(tmp_path / "here")
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    assert [record.event for record in reopened(tmp_path / "there")] == list(EVENTS)


def test_in_memory_the_records_are_the_same(tmp_path: Path) -> None:
    memory = MemoryJournal(clock=lambda: NOON)
    for event in EVENTS:
        memory.append(event)
    written(tmp_path)
    assert list(memory.records()) == reopened(tmp_path)


@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_any_changed_byte_before_the_last_line_is_found(lines: list[bytes], data: st.DataObject) -> None:
    content = bytearray(b"".join(lines))
    position = data.draw(st.integers(0, len(content) - len(lines[-1]) - 1))
    content[position] = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[position]))
    assert_damaged(bytes(content))


@given(data=st.data())
@settings(max_examples=40, deadline=None)
def test_removed_inserted_and_reordered_lines_are_found(lines: list[bytes], data: st.DataObject) -> None:
    changed = list(lines)
    match data.draw(st.sampled_from(("remove", "insert", "reorder"))):
        case "remove":
            del changed[data.draw(st.integers(0, len(lines) - 2))]
        case "insert":
            changed.insert(data.draw(st.integers(0, len(lines))), data.draw(st.sampled_from([*lines, b"{}\n", b"\n"])))
        case _:
            changed = data.draw(st.permutations(lines).filter(lambda order: order != lines))
    assert_damaged(b"".join(changed))


def test_an_edited_event_whose_hashes_were_not_made_anew_is_found(lines: list[bytes]) -> None:
    assert_damaged(b"".join([lines[0].replace(b"ab12", b"cd34"), *lines[1:]]))


def test_a_last_line_that_counts_wrong_is_found(lines: list[bytes]) -> None:
    assert_damaged(b"".join([*lines[:-1], lines[-1].replace(b'"seq":5', b'"seq":6')]))


def test_a_record_of_a_newer_version_is_named_and_kept(lines: list[bytes]) -> None:
    assert_damaged(b"".join([*lines[:-1], lines[-1].replace(b'"noted"', b'"foreseen"')]))


def test_a_last_line_cut_at_any_byte_is_set_aside_and_said(lines: list[bytes]) -> None:
    last = lines[-1]
    for kept in range(1, len(last)):
        with_content(b"".join(lines[:-1]) + last[:kept], partial(_recovered, cut=last[:kept]))


def _recovered(state_dir: Path, cut: bytes) -> None:
    records = reopened(state_dir)
    assert [record.event for record in records[:4]] == list(EVENTS[:4])
    assert len(records) == 5
    warning = records[4].event
    assert isinstance(warning, Noted)
    assert warning.level == "warning"
    assert "journal.jsonl.torn-1" in warning.text
    assert journal_path(state_dir, "s1").with_name("journal.jsonl.torn-1").read_bytes() == cut
    assert len(reopened(state_dir)) == 5


def test_a_second_torn_line_does_not_overwrite_the_first(tmp_path: Path) -> None:
    path = written(tmp_path)
    for _ in range(2):
        with path.open("ab") as file:
            file.write(b'{"seq"')
        reopened(tmp_path)
    assert sorted(p.name for p in path.parent.glob("*.torn-*")) == ["journal.jsonl.torn-1", "journal.jsonl.torn-2"]


def test_a_journal_torn_in_its_first_line_opens_empty(tmp_path: Path) -> None:
    path = written(tmp_path)
    os.truncate(path, 20)
    assert [type(record.event) for record in reopened(tmp_path)] == [Noted]


class Disk:
    """Records what is asked of the disk, and can refuse it."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[str, int, int]] = []
        self.refuse: tuple[str, int] | None = None
        self._write, self._fsync = os.write, os.fsync
        patch.setattr(os, "write", self.write)
        patch.setattr(os, "fsync", self.fsync)

    def write(self, descriptor: int, content: bytes) -> int:
        if self.refuse and self.refuse[0] == "write":
            if len(content) > 20:
                return self._write(descriptor, content[:20])
            raise OSError(self.refuse[1], os.strerror(self.refuse[1]))
        written = self._write(descriptor, content[: max(1, len(content) // 2)])
        self.calls.append(("write", descriptor, written))
        return written

    def fsync(self, descriptor: int) -> None:
        if self.refuse and self.refuse[0] == "fsync":
            raise OSError(self.refuse[1], os.strerror(self.refuse[1]))
        self._fsync(descriptor)
        kind = "fsync directory" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else "fsync"
        self.calls.append((kind, descriptor, 0))


def test_append_returns_only_after_all_is_written_and_then_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal.create(tmp_path, "s1")
    disk = Disk(monkeypatch)
    journal.append(EVENTS[0])
    assert {descriptor for _, descriptor, _ in disk.calls} == {disk.calls[-1][1]}
    assert [kind for kind, _, _ in disk.calls[:-1]] == ["write"] * (len(disk.calls) - 1)
    assert disk.calls[-1][0] == "fsync"
    assert sum(count for _, _, count in disk.calls) == journal.path.stat().st_size
    disk.calls.clear()
    journal.append(EVENTS[2], sync=False)
    journal.append(EVENTS[1])
    assert isinstance(EVENTS[1], AT_WORK), "what only shows a command at work is not waited for"
    assert {kind for kind, _, _ in disk.calls} == {"write"}
    journal.close()


def test_a_new_journal_is_found_after_a_power_cut_and_readable_by_its_owner_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = Disk(monkeypatch)
    journal = Journal.create(tmp_path / "state", "s1")
    journal.close()
    assert [kind for kind, _, _ in disk.calls] == ["fsync directory"] * 4  # state, sessions, s1, and s1's journal
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o700


@pytest.mark.parametrize(("call", "code"), [("write", errno.ENOSPC), ("write", errno.EIO), ("fsync", errno.EIO)])
def test_a_full_or_broken_disk_stops_everything_until_the_journal_is_opened_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, code: int
) -> None:
    journal = Journal.create(tmp_path, "s1")
    journal.append(EVENTS[0])
    disk = Disk(monkeypatch)
    disk.refuse = (call, code)
    with pytest.raises(JournalUnwritable, match=rf"{os.strerror(code)}.*procedure stops here.*resume"):
        journal.append(EVENTS[2])
    disk.refuse = None
    with pytest.raises(JournalUnwritable):
        journal.append(EVENTS[2])
    journal.close()
    assert reopened(tmp_path)[0].event == EVENTS[0]


CHILD = """
import sys
from pathlib import Path
from atlasdb_recovery.events import Noted
from atlasdb_recovery.journal.record import Journal
journal = Journal.create(Path(sys.argv[1]), "s1")
while True:
    record = journal.append(Noted(level="note", text="x" * 3000))
    print(record.seq, flush=True)
"""


@pytest.mark.parametrize("acknowledged", [1, 7, 40])
def test_a_killed_process_loses_nothing_it_acknowledged(tmp_path: Path, acknowledged: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    with child:
        for line in child.stdout:
            if int(line) == acknowledged:
                child.send_signal(signal.SIGKILL)
                break
        said = [int(line) for line in child.stdout.read().splitlines() if line]
    last = max([acknowledged, *said])
    records = reopened(tmp_path)
    assert [record.seq for record in records] == list(range(1, len(records) + 1))
    assert len(records) >= last


def test_no_secret_reaches_the_file_wherever_it_hides(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "s1", secrets=frozenset({'hun"ter\\2', "pa55", ""}))
    answer = {"deep": [{"url": 'cql://u:hun"ter\\2@host', "pa55": 1}]}
    journal.append(AnswerGiven(name="y", answer=answer, by="terminal"))
    journal.append(CommandStarted(source="a pa55 b", command=("login", "--as=pa55")))
    journal.append(Noted(level="note", text='password is hun"ter\\2!'))
    journal.append(AnswerGiven(name="x", answer=Secret("unlisted"), by="terminal"))
    journal.close()
    content = journal.path.read_text()
    assert not [word for word in ("hun", "ter\\\\2", "pa55", "unlisted") if word in content]
    assert content.count("***") == 6
    assert len(reopened(tmp_path)) == 4


def test_names_and_facts_stay_as_they_are_though_a_password_equals_them(tmp_path: Path) -> None:
    """A session that is resumed compares them with the cluster: masked ones would stop it for ever."""
    journal = Journal.create(tmp_path, "s1", secrets=frozenset({"production"}))
    fact = FactEstablished(name="cluster-identity", value={"cluster_name": "production"}, source="production")
    journal.append(fact)
    journal.close()
    event = reopened(tmp_path)[0].event
    assert isinstance(event, FactEstablished)
    assert (event.value, event.source) == (fact.value, "***")


def test_text_that_is_not_unicode_can_be_recorded(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "s1")
    journal.append(Noted(level="note", text="\ud800 and \x00\n"))
    journal.close()
    event = reopened(tmp_path)[0].event
    assert isinstance(event, Noted)
    assert event.text == "\\ud800 and \x00\n"


def test_one_process_at_a_time_writes_a_journal(tmp_path: Path) -> None:
    journal = Journal.create(tmp_path, "s1")
    with pytest.raises(JournalInUse, match="another process"):
        Journal.open(tmp_path, "s1")
    journal.close()
    journal.close()
    assert reopened(tmp_path) == []


@pytest.mark.parametrize("session", ["", "../s1", "s1/..", "nobody", "s 1", "ſ1"])
def test_what_is_not_a_session_is_said(tmp_path: Path, session: str) -> None:
    written(tmp_path)
    with pytest.raises(JournalMissing, match="history"):
        Journal.open(tmp_path, session)


def test_a_session_is_never_begun_twice(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(JournalError, match="exists"):
        Journal.create(tmp_path, "s1")
    assert len(reopened(tmp_path)) == 5
