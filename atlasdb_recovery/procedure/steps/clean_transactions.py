"""`clean-transactions`: remove every transaction that committed after the backup timestamp, whatever its schema."""

from collections.abc import AsyncIterator, Sequence

from atlasdb_recovery.events import Event, FactEstablished, Noted, Progressed
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.removal.coordination_row import schemas_to_store, store_schemas
from atlasdb_recovery.procedure.removal.description import (
    narrowed_lines,
    plan_lines,
    refuse_unsafe,
    removal_lines,
    statements,
)
from atlasdb_recovery.procedure.removal.finder import TABLES, Finder, Scope
from atlasdb_recovery.procedure.removal.findings import Findings
from atlasdb_recovery.procedure.removal.run import STEP, exported, next_export_path, removed
from atlasdb_recovery.procedure.removal.scope import from_start, removal_scope, why_not_narrowed
from atlasdb_recovery.procedure.step import Danger, Evidence, Question, Step, StepFailure

BEHIND = (
    "`_coordination` was copied before a schema was installed that later copies hold transactions of: "
    "its row is brought up to the backup's map, by conditional writes, commit at ALL"
)


class CleanTransactions(Step):
    name = "clean-transactions"
    title = "Remove the transactions committed after the backup timestamp"
    why = (
        "What committed after B may be in the backup only in part; such a torn transaction must read as uncommitted. "
        "Each row is exported first, then removed, read again, and the whole table is scanned again."
    )
    danger = Danger.DESTROYS

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_removal()

    async def evidence(self, context: Context) -> Evidence | None:
        findings = await scanned(context)
        if findings.count or await schemas_to_store(context):
            return None
        return proof(context, findings, await from_start(context))

    async def plan(self, context: Context) -> Plan:
        scope = await removal_scope(context)
        findings = await scanned(context)
        refuse_unsafe(context, findings)
        export, behind = next_export_path(context), await schemas_to_store(context)
        return Plan(
            title=f"remove {findings.count:,} transactions committed after {scope.after} from {context.keyspace}",
            lines=(*plan_lines(context, scope, findings, export), *([BEHIND] if behind else [])),
            depends_on={
                "digest": findings.digest,
                "after": scope.after,
                "from_start": scope.from_start,
                "removal": context.settings.removal,
            },
            facts=findings.facts()
            | {
                "odd_cells": [cell.words for cell in findings.odd],
                "export": str(export),
                "from_start": scope.from_start,
                "removal": context.settings.removal,
                "statements": [
                    {"schema": one.schema, "cql": one.cql, "effect": one.effect}
                    for one in statements(context.keyspace, findings.by_schema, context.settings.removal)
                ],
            },
        )

    async def outlook(self, context: Context) -> Sequence[str]:
        after = facts.required(context, facts.BACKUP_TIMESTAMP)
        return (
            f"scan {' and '.join(TABLES)} of {context.keyspace} at ALL for transactions committed after B = {after}",
            *await narrowing(context),
            "ask before the first of them is touched, with their number, schemas and samples",
            f"pre-images go to {next_export_path(context)} first",
            *removal_lines(context.keyspace, context.settings.removal, (1, 2, 3)),
            "read each again, then scan again: none may be left",
        )

    def questions(self, context: Context, plan: Plan) -> Sequence[Question]:
        asked = []
        if plan.facts["odd"]:
            asked.append(
                Question(
                    name="odd-cells",
                    text=f"{plan.facts['odd']} cells are not what AtlasDB would have written, and will not be touched. "
                    "Go on with the others?",
                    detail=tuple(plan.facts["odd_cells"]),
                    phrase=f"leave {plan.facts['odd']} odd cells as they are",
                    fingerprint=plan.fingerprint,
                )
            )
        if count := plan.facts["count"]:
            cluster = facts.required(context, facts.IDENTITY)["cluster_name"]
            asked.append(
                Question(
                    name=self.name,
                    text=f"{count:,} transactions will be removed. There is no undo but the export.",
                    detail=plan.lines,
                    phrase=context.phrase(f"remove {count} from {context.keyspace} on {cluster}"),
                    fingerprint=plan.fingerprint,
                    remove_at_most_needed=count,
                )
            )
        return asked

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        yield FactEstablished(step=self.name, name=facts.FINDINGS, value=plan.facts)
        if schemas := await schemas_to_store(context):
            await store_schemas(context, schemas)
            yield Noted(step=self.name, level="note", text=f"`_coordination` is valid to {schemas.bound} again")
        if not plan.facts["count"]:
            return
        scope = await removal_scope(context)
        path = next_export_path(context)
        async for event in exported(context, scope, path, plan.facts["digest"]):
            yield event
        async for event in removed(context, path, plan.facts["count"]):
            yield event

    async def verify(self, context: Context) -> Evidence:
        planned = context.state.fact(facts.FINDINGS) or {}
        findings = await scanned(context, again=sum(planned.get("scanned", {}).values()))
        if findings.count:
            raise StepFailure(
                f"{findings.count:,} transactions committed after {findings.after} are still there after the removal",
                evidence=tuple(f"start {f.start}, commit {f.commit}, schema {f.schema}" for f in findings.samples),
                remedy="Something wrote to the transactions tables meanwhile, or a node's clock is ahead. "
                "Make sure nobody is connected, then retry.",
            )
        if await schemas_to_store(context):
            raise StepFailure(
                "`_coordination` still reads otherwise than the backup's schema map",
                remedy="A cell of its row has a write time ahead of the nodes' clocks, or somebody else writes to it. "
                "Make sure nobody is connected, then retry.",
            )
        return proof(context, findings, await from_start(context))


async def narrowing(context: Context) -> list[str]:
    """What will be left out of the scan, or why nothing may be; nothing to say of a full one."""
    if context.settings.scan == "full":
        return []
    if problem := await why_not_narrowed(context):
        return [f"refused by ScanProven: {problem}"]
    return narrowed_lines(await from_start(context))


def proof(context: Context, findings: Findings, lowest: int) -> Evidence:
    """That nothing is left, and how much was read to see it; StepFailure where it could not be judged."""
    refuse_unsafe(context, findings)
    looked = ", ".join(f"{count:,} cells of {table}" for table, count in sorted(findings.scanned.items()))
    said = f"no transaction committed after {findings.after} is left: {looked} read at ALL"
    return Evidence((said, *narrowed_lines(lowest)))


async def scanned(context: Context, *, again: int | None = None) -> Findings:
    """A whole scan at ALL that leaves nothing to the server's filter. `again`: about how many cells it will read."""
    scope: Scope = await removal_scope(context)
    finder = Finder(context.cluster, scope, let_server_filter=False)
    label = "scan" if again is None else "rescan"
    async for _ in finder.pages():
        read = finder.findings.cells_scanned
        total = None if again is None else max(again, read)
        context.note_progress(Progressed(step=STEP, unit="cells read", done=read, total=total, scope=label))
    return finder.findings
