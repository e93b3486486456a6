"""What a removal has found and will do, in words: from the facts of its plan."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.text import Text

from atlasdb_recovery.atlas.transactions import LOWEST_START
from tui.look import Look

LABEL = 11
SCHEMAS = ("1", "2", "3")


def found_text(facts: Mapping[str, Any], look: Look) -> Text:
    """What matters, in about eight lines; the rest is in `everything`."""
    if not facts.get("count"):
        return Text.assemble(
            (f"{look.glyphs.done} Nothing has to be removed: no transaction committed after B = ", "bold"),
            (f"{facts.get('after')}", "bold"),
            *_row("read", _scanned(facts)),
            *_narrowing(facts, look),
            *_odd(facts, look),
        )
    return Text.assemble(
        (f"{facts['count']:,} transactions committed after B = {facts['after']}", "bold"),
        *_row("by schema", "   ".join(f"{schema}: {_of_schema(facts, schema):,}" for schema in SCHEMAS)),
        *_row("commits", f"{facts['first_commit']} to {facts['last_commit']}"),
        *_row("straddle B", f"{facts['straddling']:,} (began before it); staging {facts['staging']:,}"),
        *_narrowing(facts, look),
        *_odd(facts, look),
        *_row("method", method(facts)),
        *_row("export", "first, to\n"),
        f"{facts.get('export', 'unknown')}",
    )


def method(facts: Mapping[str, Any]) -> str:
    """Which removal it is, in a line; the statements are in `everything`."""
    schemas = sorted(facts.get("by_schema", {}))
    deleted = [schema for schema in schemas if schema != "3"] if facts.get("removal") == "delete" else []
    aborted = [schema for schema in schemas if schema not in deleted]
    said = [f"delete {' and '.join(deleted)}"] if deleted else []
    said += [f"abort {' and '.join(aborted)}"] if aborted else []
    return f"{', '.join(said)} (c shows the CQL)"


def statement_text(facts: Mapping[str, Any]) -> Text:
    """The exact CQL for each schema that there is, and what it does."""
    shown = Text.assemble(("What is run for each of them", "bold"))
    for one in facts.get("statements", ()):
        shown.append(f"\nschema {one['schema']}: ", style="bold")
        shown.append(f"{one['cql']}\n")
        shown.append(f"  {one['effect']}", style="dim")
    shown.append(
        f"\nThen each is read back at ALL, and the scan is made again: {extent(from_start(facts))}.", style="dim"
    )
    return shown


def sample_text(facts: Mapping[str, Any]) -> Text:
    """The first commits beyond B."""
    return Text.assemble(
        (f"The first commits beyond B = {facts.get('after')}", "bold"), _samples(facts.get("samples", ()))
    )


def straddler_text(facts: Mapping[str, Any]) -> Text:
    """The transactions that a cut by start timestamp would miss."""
    straddlers = facts.get("straddlers", ())
    if not straddlers:
        return Text("None straddles B.")
    return Text.assemble(
        (f"{facts['straddling']:,} straddle B: started before, committed after", "bold"), _samples(straddlers)
    )


def odd_text(facts: Mapping[str, Any]) -> Text:
    """Every odd cell in hex, one a line."""
    cells, count = facts.get("odd_cells", ()), facts.get("odd", 0)
    if not count:
        return Text("No cell is odd: AtlasDB could have written every one of them.")
    shown = Text.assemble(
        (f"{count:,} odd cells: AtlasDB would not have written them. They are never touched.", "bold")
    )
    for cell in cells:
        shown.append(f"\n{cell}")
    if count > len(cells):
        shown.append(f"\nand {count - len(cells):,} more: `atlasdb-recovery inspect transactions` prints all of them")
    return shown


def everything(facts: Mapping[str, Any]) -> Text:
    """All that the screen has no room for."""
    return Text("\n\n").join(
        [
            odd_text(facts),
            statement_text(facts),
            sample_text(facts),
            straddler_text(facts),
            Text(f"pre-images are written to {facts.get('export')} and fsynced before the first removal"),
            Text(f"scan: {extent(from_start(facts))}", style="bold" if from_start(facts) > LOWEST_START else ""),
            Text(f"read: {_scanned(facts)}"),
        ]
    )


def from_start(facts: Mapping[str, Any]) -> int:
    """The lowest start that the plan's scan reads."""
    return int(facts.get("from_start", LOWEST_START))


def extent(lowest: int) -> str:
    """What a scan reads whose lowest start this is."""
    if lowest <= LOWEST_START:
        return "both tables, whole, at ALL"
    return f"both tables from start timestamp I = {lowest} on, at ALL"


def _samples(samples: Sequence[Mapping[str, Any]]) -> Text:
    return Text("").join(
        Text(f"\n  start {s['start']}, commit {s['commit']}, schema {s['schema']}{_staging(s)}") for s in samples
    )


def _staging(sample: Mapping[str, Any]) -> str:
    return ", staging" if sample.get("state") == "staging" else ""


def _scanned(facts: Mapping[str, Any]) -> str:
    scanned = facts.get("scanned", {})
    return ", ".join(f"{count:,} cells of {table}" for table, count in sorted(scanned.items())) or "nothing"


def _of_schema(facts: Mapping[str, Any], schema: str) -> int:
    return int(facts.get("by_schema", {}).get(schema, 0))


def _odd(facts: Mapping[str, Any], look: Look) -> tuple[tuple[str, str], ...]:
    count = facts.get("odd", 0)
    if not count:
        return _row("odd cells", "none")
    sign = look.glyphs.warned
    return _row("odd cells", f"{sign} {count:,}, never touched: c shows each in hex", "bold")


def _narrowing(facts: Mapping[str, Any], look: Look) -> tuple[tuple[str, str], ...]:
    """Nothing of a full scan: only what is left out needs the room."""
    lowest = from_start(facts)
    if lowest <= LOWEST_START:
        return ()
    return _row("scan", f"{look.glyphs.warned} narrowed: starts from I = {lowest} on", "bold")


def _row(label: str, words: str, style: str = "") -> tuple[tuple[str, str], ...]:
    return ((f"\n{label:{LABEL}}", "dim"), (words, style))
