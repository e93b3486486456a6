"""`_coordination` copied before a schema was installed under which later copies hold transactions.

Nothing of it is in doubt for the restore, which has the manifest's map; but a service that starts afterwards reads the
schemas from the restored row, and there the abort of schema 3 can be a commit of schema 2.
"""

from pathlib import Path

import pytest
from msgspec.structs import replace

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.steps import clean_transactions
from tests.properties.history import Chapter, History, of_seed
from tests.properties.play import OracleSaysNo, played

SEEDS = range(12)


def behind(seed: int, first: int | None, then: int) -> History:
    """Schema `first` (None: no coordination at all) when `_coordination` is copied, `then` while the rest is."""
    life = (Chapter(stages=30, schema=first), Chapter(stages=30))
    return replace(
        of_seed(seed),
        before=life,
        meanwhile=Chapter(stages=60, schema=then),
        coordination_first=True,
        snapshots=False,
        two_files=False,
    )


@pytest.mark.parametrize(("first", "then"), [(2, 3), (3, 2), (1, 2), (1, 3), (None, 3)])
def test_a_service_that_starts_reads_everything_by_the_schema_it_was_written_in(
    directory: Path, first: int | None, then: int
) -> None:
    for seed in SEEDS:
        played(behind(seed, first, then), directory / str(seed))


def test_left_behind_it_makes_aborted_transactions_visible(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def left(_: Context) -> None:
        return None

    monkeypatch.setattr(clean_transactions, "schemas_to_store", left)

    def play_all() -> None:
        for seed in SEEDS:
            played(behind(seed, 2, 3), directory / str(seed))

    with pytest.raises(OracleSaysNo, match="surplus"):
        play_all()
