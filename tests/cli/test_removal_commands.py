"""`inspect transactions` and `put-back`, as commands, against what a restore removes."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.atlas.transactions import TRANSACTIONS, TRANSACTIONS2
from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.journal.record import Journal, MemoryJournal
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.procedure.removal.pre_images import pre_images
from atlasdb_recovery.procedure.restore import restore_steps
from atlasdb_recovery.procedure.runner import Outcome
from tests.cli.rehearsal import Ended, Rehearsal, ended
from tests.restore.arena import ScriptedFrontEnd

BOTH_DIALECTS = pytest.mark.parametrize("dialect", Dialect, ids=str)
CLEANED = 4
"""How many steps a restore has up to and with clean-transactions."""


def rehearsed(directory: Path, dialect: Dialect, steps: int, journal: MemoryJournal | None = None) -> Rehearsal:
    """A restore done up to this step."""
    rehearsal = Rehearsal(directory, dialect, stages=20).lose()
    done = asyncio.run(rehearsal.arena.restore(steps=restore_steps()[:steps], journal=journal))
    assert done is Outcome.DONE
    return rehearsal


def shown(text: str) -> Iterator[dict[str, object]]:
    for line in text.splitlines():
        yield json.loads(line)


@BOTH_DIALECTS
def test_inspect_shows_the_set_that_the_removal_takes_and_touches_nothing(dialect: Dialect, tmp_path: Path) -> None:
    journal = MemoryJournal()
    rehearsal = rehearsed(tmp_path, dialect, CLEANED - 1, journal)
    after = str(rehearsal.arena.backup_timestamp)
    first = inspected(rehearsal, after)
    state, files = rehearsal.cluster_state(), rehearsal.files()
    unfiltered = inspected(rehearsal, after, "--no-server-filter")
    assert (first.code, unfiltered.code) == (0, 0)
    assert sorted(first.out.splitlines()) == sorted(unfiltered.out.splitlines())
    assert rehearsal.cluster_state() == state
    assert rehearsal.files() == files
    assert asyncio.run(rehearsal.arena.restore(steps=restore_steps()[:CLEANED], journal=journal)) is Outcome.DONE
    (export,) = (tmp_path / "exports").glob("pre-images-*.jsonl")
    taken = {(image.table, image.key, image.column1): image for image in pre_images(export)}
    told = {(str(one["table"]), str(one["key"]), str(one["column1"])): one for one in shown(first.out)}
    assert told.keys() == taken.keys()
    assert taken
    for place, image in taken.items():
        for name in ("schema", "start", "commit", "state", "value", "write_time"):
            assert told[place][name] == getattr(image, name)
    nothing = inspected(rehearsal, after)
    assert (nothing.code, nothing.out) == (0, "")


def inspected(rehearsal: Rehearsal, after: str, *more: str) -> Ended:
    command = ["inspect", "transactions", "--settings", str(rehearsal.settings), "--after", after, *more]
    return ended(recovery_main, command, rehearsal.graph)


def test_inspect_shows_odd_cells_in_hex(tmp_path: Path) -> None:
    rehearsal = rehearsed(tmp_path, Dialect.APACHE, CLEANED - 1)
    rehearsal.write_everywhere(TRANSACTIONS, (b"\x0a\x0a", b"t", -1), b"\x8f\xff")
    result = inspected(rehearsal, "20000", "--no-server-filter")
    (odd,) = [one for one in shown(result.out) if one.get("record") == "odd"]
    assert (odd["table"], odd["key"], odd["column1"], odd["value"]) == (TRANSACTIONS, "0a0a", "74", "8fff")
    assert odd["reason"]


def test_inspect_refuses_to_be_complete_where_a_schema_is_unknown(tmp_path: Path) -> None:
    rehearsal = rehearsed(tmp_path, Dialect.APACHE, CLEANED - 1)
    beyond = 2**50
    rehearsal.write_everywhere(TRANSACTIONS2, transactions.locate(3, beyond), b"\x01\x01")
    result = inspected(rehearsal, "20000")
    assert result.code == Outcome.REFUSED
    assert "the schema of 1 transactions is not known" in result.err
    assert not any(one.get("start") == beyond for one in shown(result.out))


@pytest.mark.parametrize("after", ["0", "-1", "x", ""])
def test_inspect_wants_a_timestamp(tmp_path: Path, after: str) -> None:
    rehearsal = Rehearsal(tmp_path)
    result = inspected(rehearsal, after)
    assert result.code == 2
    assert "--after" in result.err


class TestPutBack:
    @BOTH_DIALECTS
    @pytest.mark.parametrize("removal", ["delete", "abort"])
    def test_after_the_typed_phrase_everything_reads_as_before(
        self, dialect: Dialect, removal: str, tmp_path: Path
    ) -> None:
        rehearsal, export = removed(tmp_path, dialect, removal)
        count = sum(1 for _ in pre_images(export))
        phrase = f"put back {count} into {rehearsal.keyspace} on practice"
        state = rehearsal.cluster_state()
        for wrong in (None, "yes", phrase.upper(), phrase + "!"):
            refused = rehearsal.recovery("put-back", str(export), *([] if wrong is None else ["--phrase", wrong]))
            assert refused.code == Outcome.PARKED
            assert f"The phrase is “{phrase}”" in refused.err
            assert "Nothing was changed" in refused.err
        assert rehearsal.cluster_state()["cells"] == state["cells"]
        done = rehearsal.recovery("put-back", str(export), "--phrase", phrase)
        assert done.code == Outcome.DONE, done.err
        assert f"{count} transactions read back as exported; {count} had to be written" in done.out
        after = str(rehearsal.arena.backup_timestamp)
        back = {one["start"]: one["commit"] for one in shown(inspected(rehearsal, after).out)}
        assert back == {image.start: image.commit for image in pre_images(export)}
        again = rehearsal.recovery("put-back", str(export), "--phrase", phrase)
        assert f"{count} transactions read back as exported; 0 had to be written" in again.out

    def test_after_the_fast_forward_it_is_too_late(self, tmp_path: Path) -> None:
        rehearsal, export = removed(tmp_path, Dialect.APACHE, "delete")
        rehearsal.simulated.raise_bound(rehearsal.keyspace)
        state = rehearsal.cluster_state()
        result = put_back(rehearsal, export)
        assert result.code == Outcome.REFUSED
        assert "NotFastForwarded" in result.err
        assert "too late to put them back" in result.err
        assert rehearsal.cluster_state()["cells"] == state["cells"]

    def test_elsewhere_than_its_session_it_is_refused(self, tmp_path: Path) -> None:
        """That session would be resumed here, and go on to fast-forward as if its removal still stood."""
        rehearsal, export = removed(tmp_path, Dialect.APACHE, "delete")
        (tmp_path / "state" / "sessions").rename(tmp_path / "elsewhere")
        state = rehearsal.cluster_state()
        result = put_back(rehearsal, export)
        assert result.code == Outcome.REFUSED
        assert "the journal of session a-session is not in" in result.err
        assert rehearsal.cluster_state()["cells"] == state["cells"]

    def test_beside_a_client_it_is_refused(self, tmp_path: Path) -> None:
        rehearsal, export = removed(tmp_path, Dialect.APACHE, "delete")
        rehearsal.simulated.connect_client("127.0.9.2", "orders")
        result = rehearsal.recovery("put-back", str(export), "--phrase", "x")
        assert result.code == Outcome.REFUSED
        assert "127.0.9.2" in result.err

    def test_an_export_of_another_keyspace_or_cluster_or_a_damaged_one(self, tmp_path: Path) -> None:
        rehearsal, export = removed(tmp_path, Dialect.APACHE, "delete")
        state = rehearsal.cluster_state()
        text = export.read_text()
        elsewhere = tmp_path / "elsewhere.jsonl"
        for before, now, said in (
            ('"keyspace":"shop"', '"keyspace":"orders"', "the export is of keyspace orders, the settings name shop"),
            ('"cluster":"practice"', '"cluster":"staging"', "the export is of cluster staging, this one is practice"),
            ('"record":"end"', '"record":"ende"', "Give the pre-image export of a removal"),
        ):
            elsewhere.write_text(text.replace(before, now, 1))
            assert elsewhere.read_text() != text
            result = rehearsal.recovery("put-back", str(elsewhere), "--phrase", "x")
            assert result.code == 2, result
            assert said in result.err.replace("\n", " ")
        missing = rehearsal.recovery("put-back", str(tmp_path / "none.jsonl"))
        assert missing.code == 2
        assert "none.jsonl" in missing.err
        assert rehearsal.cluster_state()["cells"] == state["cells"]


def removed(directory: Path, dialect: Dialect, removal: str) -> tuple[Rehearsal, Path]:
    """A restore that has removed and not yet fast-forwarded; its export."""
    rehearsal = Rehearsal(directory, dialect, stages=20)
    rehearsal.arena.settings = msgspec.structs.replace(rehearsal.arena.settings, removal=removal)
    rehearsal.lose()
    with closing(Journal.create(directory / "state", "a-session")) as journal:
        steps = restore_steps()[:CLEANED]
        done = asyncio.run(rehearsal.arena.restore(ScriptedFrontEnd(), steps=steps, journal=journal))
    assert done is Outcome.DONE
    (export,) = (directory / "exports").glob("pre-images-*.jsonl")
    return rehearsal, export


def put_back(rehearsal: Rehearsal, export: Path) -> Ended:
    """With the right phrase."""
    count = sum(1 for _ in pre_images(export))
    phrase = f"put back {count} into {rehearsal.keyspace} on practice"
    return rehearsal.recovery("put-back", str(export), "--phrase", phrase)
