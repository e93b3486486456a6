"""A report says “complete” only of what is proven to its end, and otherwise what is unproven and how to go on."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from atlasdb_recovery.events import (
    Event,
    GuardChecked,
    GuardOverruled,
    Noted,
    SessionAborted,
    SessionResumed,
    StepVerified,
)
from atlasdb_recovery.journal.reader import JournalReader
from atlasdb_recovery.journal.record import Journal, MemoryJournal, Record
from atlasdb_recovery.journal.report import html, markdown
from atlasdb_recovery.journal.report.telling import told
from atlasdb_recovery.journal.report.verdict import NEVER_START, Verdict, verdict
from tests.journal.report import stories

RESUME = f"atlasdb-recovery resume {stories.SESSION}"


def judged(records: Iterable[Record]) -> Verdict:
    return verdict(told(records))


def of(events: Iterable[Event]) -> list[Record]:
    journal = MemoryJournal(clock=lambda: stories.BEGAN)
    for event in events:
        journal.append(event)
    return list(journal.records())


def events(records: Iterable[Record]) -> list[Event]:
    return [record.event for record in records]


def on_disk(state_dir: Path, records: Iterable[Record]) -> Path:
    journal = Journal.create(state_dir, "s1")
    for record in records:
        journal.append(record.event, sync=False)
    journal.close()
    return journal.path


def is_complete(found: Verdict) -> bool:
    return found.tone in {"good", "warned"} or "complete" in found.headline.replace("NOT complete", "")


def test_complete_with_and_without_warnings() -> None:
    assert judged(stories.successful()).headline == "Restore complete, with warnings"
    calm = [
        event
        for event in events(stories.successful())
        if not (isinstance(event, GuardChecked) and event.status == "warned")
    ]
    assert judged(of(calm)) == Verdict("good", "Restore complete", ("Every step is proven.",))
    warned = judged(of([*calm, Noted(level="warning", text="sweep has gone beyond B")]))
    assert (warned.tone, warned.headline) == ("warned", "Restore complete, with warnings")


@pytest.mark.parametrize("kept", range(len(stories.successful())))
def test_nothing_short_of_the_end_is_complete(kept: int) -> None:
    found = judged(stories.successful()[:kept])
    assert not is_complete(found)
    if kept:
        assert found.command == RESUME
        assert NEVER_START in found.sentences


def test_a_session_that_was_closed_with_any_step_unproven_is_not_complete() -> None:
    whole = events(stories.successful())
    proofs = [event for event in whole if isinstance(event, StepVerified)]
    assert len(proofs) == 6
    for missing in proofs:
        found = judged(of(event for event in whole if event is not missing))
        assert not is_complete(found)
        assert len(found.unproven) == 1
        assert f"({missing.step}: " in found.unproven[0]


def test_an_overruled_guard_stands_in_the_verdict_with_its_reason() -> None:
    found = judged(stories.vouched_for())
    assert (found.tone, found.headline) == ("warned", "Restore complete, with a guard overruled")
    assert any("ClocksClose was overruled: the node's clock was set right" in said for said in found.sentences)
    for text in (html(stories.vouched_for()), markdown(stories.vouched_for())):
        assert text.index("ClocksClose was overruled") < text.index("What, where and who")
        assert "It had found: 127.0.0.2 is 74 s ahead." in text


@pytest.mark.parametrize("kept", range(len(stories.vouched_for())))
def test_an_overruled_guard_does_not_count_as_refusing_and_is_said_to_the_end(kept: int) -> None:
    whole = events(stories.vouched_for())
    found = judged(of(whole[:kept]))
    was_overruled = any(isinstance(event, GuardOverruled) for event in whole[:kept])
    assert any("ClocksClose was overruled" in said for said in found.sentences) is was_overruled
    assert not (was_overruled and any("ClocksClose refuses" in said for said in found.sentences))
    assert not is_complete(found)


def test_practice_cannot_be_taken_for_live() -> None:
    practice = stories.successful("PRACTICE")
    assert judged(practice).headline == "Practice restore complete, with warnings"
    for text in (html(practice), markdown(practice)):
        assert "exercise" in text
        assert "LIVE" not in text
    for text in (html(stories.successful()), markdown(stories.successful())):
        assert "LIVE" in text
        assert "PRACTICE" not in text


def test_a_refusing_guard_is_the_reason_until_it_passes() -> None:
    records = stories.recorded(stories.started(), iter(list(stories.preflight())[:2]))
    found = judged(records)
    assert found.headline == "Refused: the restore is NOT complete"
    assert "AllNodesUp refuses (blocked): 127.0.0.3 is DN. Start the node, then check again." in found.sentences


def test_what_was_removed_in_an_earlier_attempt_is_not_forgotten() -> None:
    for text in (html(stories.removed_twice()), markdown(stories.removed_twice())):
        assert text.index("1,284 transactions were found; the journal does not say") < text.index(
            "84 transactions removed"
        )
        assert "Attempt 1 of 2" in text
        assert "Attempt 2 of 2" in text


def test_a_killed_process_was_not_at_work_until_somebody_resumed() -> None:
    torn = Noted(level="warning", text="The journal's last line was cut short.")
    back = SessionResumed(operator="bob", host="bastion-1", process=5)
    died = stories.killed()[-1].time

    def night() -> stories.Scene:
        yield 8 * 3600, torn
        yield 1, back

    before = (stories.started(), stories.preflight(), stories.restore_store(), stories.repair())
    story = told(stories.recorded(*before, iter(list(stories.clean())[:-3]), night()))
    assert [(pause.since, pause.who) for pause in story.pauses] == [(died, "bob@bastion-1")]
    (attempt,) = story.steps["clean-transactions"].attempts
    assert (attempt.outcome, attempt.ended) == ("interrupted", died)


def test_an_aborted_session_is_not_resumed() -> None:
    found = judged(of([*events(stories.failed()), SessionAborted(reason="the backup is the wrong one")]))
    assert found.headline == "Aborted: the restore is NOT complete"
    assert (found.command, "wrong one" in found.sentences[0]) == ("", True)


def test_a_damaged_journal_proves_nothing(tmp_path: Path) -> None:
    path = on_disk(tmp_path, stories.successful())
    assert is_complete(judged(JournalReader(path)))
    path.write_bytes(path.read_bytes().replace(b"127.0.0.3 is DN", b"127.0.0.9 is DN"))
    found = judged(JournalReader(path))
    assert not is_complete(found)
    assert found.headline == "The journal is damaged: nothing is proven"
    assert found.command == ""
    for text in (html(JournalReader(path)), markdown(JournalReader(path))):
        assert "line 4: does not follow from the line before it" in text
        assert "3 records before it" in text


def test_damage_after_the_end_is_not_overlooked(tmp_path: Path) -> None:
    path = on_disk(tmp_path, stories.successful())
    with path.open("ab") as file:
        file.write(b"{}\n")
    assert not is_complete(judged(JournalReader(path)))


def test_a_torn_last_line_is_said_and_spoils_nothing(tmp_path: Path) -> None:
    path = on_disk(tmp_path, stories.parked())
    with path.open("ab") as file:
        file.write(b'{"seq":')
    assert judged(JournalReader(path)).command == RESUME
    for text in (html(JournalReader(path)), markdown(JournalReader(path))):
        assert "last line cut short" in text.lower()


def test_the_hash_in_the_report_is_the_one_the_named_command_prints(tmp_path: Path) -> None:
    path = on_disk(tmp_path, stories.parked())
    reader = JournalReader(path)
    text = markdown(reader)
    assert f"sed -n {len(stories.parked())}p journal.jsonl | sha256sum" in text
    assert reader.integrity.last_hash in text


def test_a_journal_that_is_not_there_is_reported_as_such(tmp_path: Path) -> None:
    reader = JournalReader(tmp_path / "journal.jsonl")
    assert "damaged" in judged(reader).headline
    assert "cannot be read" in markdown(reader)
