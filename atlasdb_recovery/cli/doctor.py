"""`doctor`: every guard of a procedure, read-only."""

import asyncio
import sys

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from atlasdb_recovery.cli.graph import live_context
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult
from atlasdb_recovery.procedure.guards.lock_guard import LockFree
from atlasdb_recovery.procedure.runner import Outcome, checked
from atlasdb_recovery.settings import Settings

ORDER = {"blocked": 0, "unknown": 1, "warned": 2, "passed": 3, "not-applicable": 4}


async def show(procedure: str, settings: Settings, *, as_json: bool) -> int:
    """Prints a table, or JSON Lines; 3 if any guard would refuse."""
    async with live_context(settings, "doctor", {}, offline=procedure == "restore") as context:
        found = await results(context, preflight.all_for(procedure))
    if as_json:
        for guard, result in found:
            print(msgspec.json.encode({"guard": guard.name, "proves": guard.proves, **_fields(guard, result)}).decode())
    else:
        _print_table(found)
    return Outcome.DONE if all(result.status.lets_pass for _, result in found) else Outcome.REFUSED


async def results(context: Context, guards: list[Guard]) -> list[tuple[Guard, GuardResult]]:
    """What each guard finds now, the ones that refuse first."""
    every = [*guards, LockFree()]
    found = await asyncio.gather(*(checked(guard, context) for guard in every))
    return sorted(zip(every, found, strict=True), key=lambda pair: ORDER[pair[1].status.value])


def _fields(guard: Guard, result: GuardResult) -> dict[str, str]:
    remedy = "" if result.status.value in {"passed", "not-applicable"} else result.remedy or guard.remedy
    return {"status": result.status.value, "evidence": plain(result.evidence), "remedy": plain(remedy)}


def _print_table(found: list[tuple[Guard, GuardResult]]) -> None:
    table = Table(show_lines=False, expand=False)
    for heading in ("", "guard", "evidence and remedy"):
        table.add_column(heading)
    for guard, result in found:
        fields = _fields(guard, result)
        said = fields["evidence"] + (f"\n→ {fields['remedy']}" if fields["remedy"] else "")
        table.add_row(Text(fields["status"]), Text(guard.name), Text(said))
    Console(file=sys.stdout, markup=False, highlight=False).print(table)
