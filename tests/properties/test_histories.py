"""Random lives of a service, its backup, its loss and its restore: what was committed by B is there, nothing else is.

A failure names its seed; `python -m tests.properties SEED` plays it again, and looks for a simpler one like it.
"""

from pathlib import Path

import pytest

from tests.properties.history import of_seed
from tests.properties.play import SchemaNotCopied, played

HISTORIES, IN_DEPTH, A_PART = 500, 10_000, 50


def parts(first: int, last: int) -> list[range]:
    return [range(start, min(start + A_PART, last)) for start in range(first, last, A_PART)]


def play_all(seeds: range, directory: Path) -> None:
    for seed in seeds:
        try:
            played(of_seed(seed), directory / str(seed))
        except SchemaNotCopied:
            continue  # nothing was removed
        except BaseException as error:
            error.add_note(f"history of seed {seed}: {of_seed(seed)}")
            raise


@pytest.mark.parametrize("seeds", parts(0, HISTORIES), ids=str)
def test_what_was_committed_by_b_is_there_and_nothing_else(seeds: range, directory: Path) -> None:
    play_all(seeds, directory)


@pytest.mark.deep
@pytest.mark.parametrize("seeds", parts(HISTORIES, IN_DEPTH), ids=str)
def test_the_same_of_ten_thousand(seeds: range, directory: Path) -> None:
    play_all(seeds, directory)
