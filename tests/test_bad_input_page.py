"""`docs/bad-input.md` names tests that there are, and leaves nothing out."""

import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = (HERE.parent / "docs" / "bad-input.md").read_text("utf-8")
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))
ROWS = [line for line in PAGE.splitlines() if line.startswith("| ") and not line.startswith("| what")]


def test_every_test_that_it_names_is_there() -> None:
    missing = [f"{file}::{name}" for file, name in NAMED if f"def {name}(" not in (HERE / file).read_text("utf-8")]
    assert missing == []
    assert len(NAMED) > 60


def test_every_number_has_its_row_and_every_row_a_test() -> None:
    numbers = [int(found[1]) for row in ROWS if (found := re.match(r"\| (\d+) ", row))]
    assert numbers == list(range(1, 49))
    assert len(ROWS) == 48 + 7
    assert all("::test_" in row for row in ROWS)
