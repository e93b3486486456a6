"""Files kept beside a journal."""

from pathlib import Path

import pytest

from atlasdb_recovery.journal.evidence import keep


def test_it_lies_beside_the_journal_for_its_owner_and_never_replaces_an_earlier_one(tmp_path: Path) -> None:
    journal = tmp_path / "journal.jsonl"
    journal.touch()
    first, second, third = (keep(journal, "confirmed-x.svg", f"picture {n}") for n in range(3))
    assert [path.name for path in (first, second, third)] == [
        "confirmed-x.svg",
        "confirmed-x-2.svg",
        "confirmed-x-3.svg",
    ]
    assert [path.read_text() for path in (first, second, third)] == ["picture 0", "picture 1", "picture 2"]
    assert {path.parent for path in (first, second, third)} == {tmp_path}
    assert first.stat().st_mode & 0o777 == 0o600


def test_a_place_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        keep(tmp_path / "gone" / "journal.jsonl", "confirmed-x.svg", "")
