"""What a removal is about to do, in lines; and the findings under which nothing may be removed at all."""

import re
from collections.abc import Collection, Iterable
from pathlib import Path

import msgspec

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra import cell_statements
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import FAST_FORWARD_TIMESTAMP
from atlasdb_recovery.procedure.removal.finder import Scope
from atlasdb_recovery.procedure.removal.findings import Findings
from atlasdb_recovery.procedure.removal.remover import TWO_PHASE
from atlasdb_recovery.procedure.step import StepFailure

ODD_LINES = 20


class Removal(msgspec.Struct, frozen=True):
    """The statement that removes a transaction of this schema, and what it does. `?` stands for each row's own."""

    schema: int
    cql: str
    effect: str


def statements(keyspace: str, schemas: Collection[int], removal: str) -> tuple[Removal, ...]:
    """What `Remover` runs, for the schemas that there are."""
    return tuple(_statement(keyspace, schema, removal) for schema in sorted(schemas))


def _statement(keyspace: str, schema: int, removal: str) -> Removal:
    table = transactions.table_of(schema)
    if schema == TWO_PHASE:
        return Removal(
            schema,
            cell_statements.put_cell(keyspace, table),
            f"writes the abort marker 0x{transactions.abort_value(schema).hex()} above the commit's own write time, at "
            "ALL; never deleted",
        )
    if removal == "delete":
        return Removal(
            schema,
            cell_statements.delete_cell(keyspace, table),
            "deletes the row at its own write time (a tie goes to the tombstone), at ALL",
        )
    marker = transactions.abort_value(schema).hex()
    return Removal(
        schema,
        cell_statements.update_cell_if(keyspace, table),
        f"writes the abort marker {f'0x{marker}' if marker else '0x (empty)'} where the value is still as read, "
        "SERIAL, commit at ALL",
    )


def plan_lines(context: Context, scope: Scope, findings: Findings, export: Path) -> tuple[str, ...]:
    """Counts, extremes, samples, the export's path and the statements, readable top to bottom."""
    lines = [f"scanned at ALL: {', '.join(f'{n:,} cells of {t}' for t, n in sorted(findings.scanned.items()))}"]
    lines += [f"schema {schema}: {n:,} transactions" for schema, n in sorted(findings.by_schema.items())]
    lines += narrowed_lines(scope.from_start)
    if findings.count:
        lines.append(
            f"commit timestamps from {findings.first_commit} to {findings.last_commit}, all above {scope.after}"
        )
        lines.append(f"started before and committed after {scope.after}: {findings.straddling:,}")
        lines += [f"for example: start {f.start}, commit {f.commit}, schema {f.schema}" for f in findings.samples[:5]]
        lines.append(f"pre-images go to {export} first")
        lines += removal_lines(context.keyspace, context.settings.removal, findings.by_schema)
    else:
        lines.append(f"no transaction committed after {scope.after}: nothing to remove")
    if findings.odd_count:
        lines.append(f"odd cells, which will not be touched: {findings.odd_count:,}")
    lines += [f"odd: {cell.words}" for cell in findings.odd[:ODD_LINES]]
    return tuple(lines)


def narrowed_lines(from_start: int) -> list[str]:
    """What a narrowed scan left out, and why it may; nothing for a full one."""
    if from_start <= transactions.LOWEST_START:
        return []
    return [
        f"narrowed to start timestamps from I = {from_start} on: by the sealed manifest whatever began below it had"
        " ended before B was fetched"
    ]


def narrowed_to(lines: Iterable[str]) -> int:
    """What `narrowed_lines` said among these lines: the lowest start that was scanned."""
    found = (re.match(r"narrowed to start timestamps from I = (\d+) on:", line) for line in lines)
    return next((int(match[1]) for match in found if match), transactions.LOWEST_START)


def removal_lines(keyspace: str, removal: str, schemas: Collection[int]) -> list[str]:
    """The statements that remove transactions of these schemas, and what each does."""
    lines = []
    for one in statements(keyspace, schemas, removal):
        lines += [f"schema {one.schema}: {one.cql}", f"    {one.effect}"]
    return lines


def refuse_unsafe(context: Context, findings: Findings) -> None:
    """The schema must be known for every start, and F must lie above every timestamp in the tables."""
    if findings.unknown_schema:
        raise StepFailure(
            unknown_schema_words(findings),
            evidence=(
                f"for example start {findings.unknown_sample}: it lies beyond the coordination map's bound, or there "
                "is no map and it lies in `_transactions2`",
            ),
            remedy="The backup's coordination map does not cover its transactions. Restore `_coordination` from the "
            "same backup, or take the map from a later one. Nothing was removed.",
        )
    target = context.state.fact(FAST_FORWARD_TIMESTAMP)
    if target is not None and findings.highest >= target:
        raise StepFailure(
            f"F = {target} is not above every timestamp in the transactions tables",
            evidence=(f"the highest start or commit timestamp found is {findings.highest}",),
            remedy="Timestamps up to that one would be handed out again. This F is not this backup's: check "
            "fast-forward.timestamp. Nothing was removed.",
        )


def unknown_schema_words(findings: Findings) -> str:
    return f"the schema of {findings.unknown_schema:,} transactions is not known"
