"""What a removal is about to do, in lines; and the findings under which nothing may be removed at all."""

from collections.abc import Collection
from pathlib import Path

from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.facts import FAST_FORWARD_TIMESTAMP
from atlasdb_recovery.procedure.removal.finder import Scope
from atlasdb_recovery.procedure.removal.findings import Findings
from atlasdb_recovery.procedure.step import StepFailure

METHODS = {
    "delete": "schemas 1 and 2: DELETE … USING TIMESTAMP <the cell's own write time>, at ALL",
    "abort": "schemas 1 and 2: UPDATE … SET value = <aborted> … IF value = <as read>, commit at ALL",
}
ABORT_SCHEMA_3 = "schema 3: UPDATE … USING TIMESTAMP 9223372036854775798 SET value = 0x01, at ALL (never deleted)"


def plan_lines(context: Context, scope: Scope, findings: Findings, export: Path) -> tuple[str, ...]:
    """Counts, extremes, samples, the export's path and the statements, readable top to bottom."""
    lines = [f"scanned at ALL: {', '.join(f'{n:,} cells of {t}' for t, n in sorted(findings.scanned.items()))}"]
    lines += [f"schema {schema}: {n:,} transactions" for schema, n in sorted(findings.by_schema.items())]
    if findings.count:
        lines.append(
            f"commit timestamps from {findings.first_commit} to {findings.last_commit}, all above {scope.after}"
        )
        lines.append(f"started before and committed after {scope.after}: {findings.straddling:,}")
        lines += [f"for example: start {f.start}, commit {f.commit}, schema {f.schema}" for f in findings.samples[:5]]
        lines.append(f"pre-images go to {export} first")
        lines += removal_lines(context.settings.removal, findings.by_schema)
    else:
        lines.append(f"no transaction committed after {scope.after}: nothing to remove")
    lines += [f"odd cell, will not be touched: {c.table} key {c.key}: {c.reason}" for c in findings.odd[:20]]
    return tuple(lines)


def removal_lines(removal: str, schemas: Collection[int]) -> list[str]:
    """The statements that remove transactions of these schemas."""
    lines = [METHODS[removal]] if {1, 2} & set(schemas) else []
    return [*lines, ABORT_SCHEMA_3] if 3 in schemas else lines


def refuse_unsafe(context: Context, findings: Findings) -> None:
    """The schema must be known for every start, and F must lie above every timestamp in the tables."""
    if findings.unknown_schema:
        raise StepFailure(
            f"the schema of {findings.unknown_schema:,} transactions is not known",
            evidence=(f"for example start {findings.unknown_sample}: it lies beyond the coordination map's bound",),
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
