"""The oracle can say no: each way of doing the restore or the backup wrong is caught by one of the first histories."""

from collections.abc import AsyncIterator, Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.cassandra.ports import Cell, Consistency
from atlasdb_recovery.cassandra.scan import scan_in_parallel
from atlasdb_recovery.practice.simulated.repair_command import RepairCommand
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.backup import backup_steps
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.removal import finder, scope
from atlasdb_recovery.procedure.removal.finder import Finder, Scope
from atlasdb_recovery.procedure.removal.findings import Findings, Found
from atlasdb_recovery.procedure.removal.pieces import pieces_of
from atlasdb_recovery.procedure.removal.remover import Remover
from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.steps import clean_transactions
from tests.properties import play
from tests.properties.history import of_seed
from tests.properties.play import OracleSaysNo, played

FIRST = 40
"""Histories that are played until one is caught."""

Mutant = Callable[[pytest.MonkeyPatch], None]


def leaving(patch: pytest.MonkeyPatch, is_left: Callable[[Found, int], bool]) -> None:
    """A scan that overlooks some of what it should find, in the plan, the removal and the proof alike."""
    judged, add = Finder._judged, Findings.add

    def overlooking(self: Finder, table: str, cell: Cell) -> Found | None:
        found = judged(self, table, cell)
        return None if found is not None and is_left(found, self.findings.after) else found

    def adding(self: Findings, found: Found) -> None:
        if not is_left(found, self.after):
            add(self, found)

    patch.setattr(Finder, "_judged", overlooking)
    patch.setattr(Findings, "add", adding)


def cutting(patch: pytest.MonkeyPatch, cut: Callable[[Context], int]) -> None:
    async def elsewhere(context: Context) -> Scope:
        right = await scope.removal_scope(context)
        return Scope(keyspace=right.keyspace, tables=right.tables, schema_map=right.schema_map, after=cut(context))

    patch.setattr(clean_transactions, "removal_scope", elsewhere)


def without_schema(schema: int) -> Mutant:
    return partial(leaving, is_left=lambda found, _: found.schema == schema)


def cut_by_start(patch: pytest.MonkeyPatch) -> None:
    leaving(patch, lambda found, after: found.start <= after)


def staging_left(patch: pytest.MonkeyPatch) -> None:
    leaving(patch, lambda found, _: found.state == "staging")


def cut_at_f(patch: pytest.MonkeyPatch) -> None:
    cutting(patch, lambda context: int(facts.required(context, facts.FAST_FORWARD_TIMESTAMP)) - 1)


def cut_below_b(patch: pytest.MonkeyPatch) -> None:
    cutting(patch, lambda context: int(facts.required(context, facts.BACKUP_TIMESTAMP)) - 20)


def last_piece_left(patch: pytest.MonkeyPatch) -> None:
    async def all_but_one(*arguments: Any) -> list[tuple[str, str]]:
        return (await pieces_of(*arguments))[:-1]

    patch.setattr(finder, "pieces_of", all_but_one)


def last_rows_of_pages_left(patch: pytest.MonkeyPatch) -> None:
    async def cut_short(*arguments: Any, **options: Any) -> AsyncIterator[Sequence[Cell]]:
        async for page in scan_in_parallel(*arguments, **options):
            yield page[:-1]

    patch.setattr(finder, "scan_in_parallel", cut_short)


def no_replicas_made_to_agree(patch: pytest.MonkeyPatch) -> None:
    """Repairs that do nothing, and reads of the transactions tables at ONE."""

    def at_one(*arguments: Any, **options: Any) -> Any:
        return scan_in_parallel(*arguments, **options | {"consistency": Consistency.ONE})

    patch.setattr(finder, "scan_in_parallel", at_one)
    patch.setattr(RepairCommand, "_make_agree", lambda *_: 0)


def schema_3_deleted(patch: pytest.MonkeyPatch) -> None:
    """Gone, and never to be written again: whoever rolls the transaction back is told that it worked."""

    async def deleted(self: Remover, found: Found) -> None:
        write_time = found.cell.write_time or 0
        await self._cluster.delete(
            self._keyspace, found.table, found.cell.position, write_time=write_time, consistency=Consistency.ALL
        )

    patch.setattr(Remover, "_write", deleted)
    patch.setattr(Remover, "_is_removed", lambda _, __, now: now is None)


def b_fetched_after_the_copy(patch: pytest.MonkeyPatch) -> None:
    def in_another_order() -> Sequence[Step]:
        preflight, fetch, copy, *rest = backup_steps()
        return (preflight, copy, fetch, *rest)

    patch.setattr(play, "backup_steps", in_another_order)


MUTANTS: dict[str, Mutant] = {
    "schema 1 is left": without_schema(1),
    "schema 2 is left": without_schema(2),
    "schema 3 is left": without_schema(3),
    "the cut is by start": cut_by_start,
    "staging cells are left": staging_left,
    "the cut is at F": cut_at_f,
    "the cut is below B": cut_below_b,
    "the last piece is not read": last_piece_left,
    "the last row of each page is not read": last_rows_of_pages_left,
    "replicas are not made to agree": no_replicas_made_to_agree,
    "schema 3 is deleted": schema_3_deleted,
    "B is fetched after the copy": b_fetched_after_the_copy,
}


@pytest.mark.parametrize("mutant", MUTANTS.values(), ids=MUTANTS.keys())
def test_a_wrong_restore_is_caught(mutant: Mutant, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mutant(monkeypatch)
    for seed in range(FIRST):
        try:
            played(of_seed(seed), directory / str(seed))
        except OracleSaysNo:
            return
    pytest.fail(f"none of {FIRST} histories shows it")
