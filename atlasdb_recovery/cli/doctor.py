"""`doctor`: every guard of a procedure, read-only."""

import asyncio
import sys

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlasdb_recovery.cli.graph import Graph
from atlasdb_recovery.cli.lines import AtWork, Lines, while_alive
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.runner import Outcome, checked
from atlasdb_recovery.settings import Settings
from atlasdb_recovery.wording import MARKS

ORDER = {"blocked": 0, "unknown": 1, "warned": 2, "passed": 3, "not-applicable": 4}


async def show(graph: Graph, procedure: str, settings: Settings, *, as_json: bool) -> int:
    """Prints a table, or JSON Lines; 3 if any guard would refuse."""
    working = AtWork(Lines(sys.stderr, stamped=False), f"the guards of a {procedure} look")
    async with (
        while_alive(working),
        graph(settings, "doctor", {}, offline=procedure == "restore") as context,
    ):
        found = await results(context, preflight.all_for(procedure))
    refusing = sum(not result.status.lets_pass for _, result in found)
    if as_json:
        for guard, result in found:
            print(msgspec.json.encode({"guard": guard.name, "proves": guard.proves, **_fields(guard, result)}).decode())
    else:
        _print_table(found)
        verdict = f"{refusing} of {len(found)} guards refuse it" if refusing else "every guard lets it pass"
        print(f"a {procedure} of {settings.keyspace} now: {verdict}; nothing was changed")
    return Outcome.REFUSED if refusing else Outcome.DONE


async def results(context: Context, guards: list[Guard]) -> list[tuple[Guard, GuardResult]]:
    """What each guard finds now, the ones that refuse first."""
    every = [*guards, LockFree()]
    found = await asyncio.gather(*(checked(guard, context) for guard in every))
    return sorted(zip(every, found, strict=True), key=lambda pair: ORDER[pair[1].status.value])


def _fields(guard: Guard, result: GuardResult) -> dict[str, str]:
    remedy = guard.remedy_for(result)
    return {"status": result.status.value, "evidence": plain(result.evidence), "remedy": plain(remedy)}


def _print_table(found: list[tuple[Guard, GuardResult]]) -> None:
    table = Table(show_lines=False, expand=False)
    table.add_column("")
    table.add_column("guard")
    table.add_column("evidence and remedy", overflow="fold")
    for guard, result in found:
        fields = _fields(guard, result)
        said = fields["evidence"] + (f"\nremedy: {fields['remedy']}" if fields["remedy"] else "")
        table.add_row(Text(MARKS[fields["status"]].strip()), Text(guard.name), Text(said))
    Console(file=sys.stdout, markup=False, highlight=False).print(table)
