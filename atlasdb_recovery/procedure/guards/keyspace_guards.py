"""Guards over the keyspace and its tables."""

from typing import Any

from atlasdb_recovery.atlas.names import TRANSACTIONS
from atlasdb_recovery.foreign import plain
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.expected_tables import missing_tables
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed, warned
from atlasdb_recovery.procedure.settling import tables_baseline
from atlasdb_recovery.procedure.step import confirmed
from atlasdb_recovery.procedure.steps.names import RESTORE_STORE


class KeyspaceEmpty(Guard):
    answered_by = "store-restored"
    proves = "The keyspace is absent, or present without tables: nothing old can mix with what is restored."
    remedy_is_drastic = True
    remedy = (
        "If the data in it is lost for good, drop the keyspace yourself: DROP KEYSPACE. If you have restored the store "
        "already, answer store-restored with how it was done, and set store.method to external."
    )

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None:
            return passed(f"keyspace {context.keyspace} is absent")
        if not keyspace.tables:
            return passed(f"keyspace {context.keyspace} is present without tables")
        shown = f"keyspace {context.keyspace} has {len(keyspace.tables)} tables"
        if context.state.step(RESTORE_STORE).began:
            return passed(f"{shown}: this session is restoring them")
        answer = context.answer(self.answered_by)
        if context.store.name == "external" and confirmed(answer):
            return warned(
                f"{shown}: the operator says that the store has been restored already",
                "Tables, bound and stillness are verified instead. Make sure that nothing else is in this keyspace.",
            )
        return blocked(shown + (_why_it_does_not_count(context, answer) if answer else ""))


def _why_it_does_not_count(context: Context, answer: Any) -> str:
    """The operator has said that the store is restored already."""
    if not confirmed(answer):
        return f"; “{plain(str(answer))}” is no plain yes to whether the store has been restored"
    return f"; that it has been restored already counts only where store.method is external; it is {context.store.name}"


class KeyspaceIsAtlas(Guard):
    proves = "The keyspace is there and is AtlasDB's: it has a transactions table."
    remedy = "Check the keyspace that the service's configuration names."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None:
            return blocked(f"keyspace {context.keyspace} is absent")
        if TRANSACTIONS not in keyspace.tables:
            return blocked(f"keyspace {context.keyspace} has no table {TRANSACTIONS}")
        return passed(f"keyspace {context.keyspace} has {len(keyspace.tables)} tables")


class TablesPresent(Guard):
    proves = "The keyspace has the tables that the backup had."
    remedy = "Restore the missing tables from the same backup, then check again."

    async def check(self, context: Context) -> GuardResult:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None or not keyspace.tables:
            if not context.state.step(RESTORE_STORE).began:
                return not_applicable("the store has not been restored yet")
            return blocked(f"keyspace {context.keyspace} is absent or has no tables", "Restore the store first.")
        missing = await missing_tables(context, keyspace)
        if missing.refused:
            return blocked(missing.evidence, missing.remedy)
        return warned(missing.evidence, missing.remedy) if missing.internals else passed(missing.evidence)


class TablesUnchanged(Guard):
    proves = "No table was created again, altered or truncated since the store was restored."
    remedy_is_drastic = True
    remedy = "Somebody else changed the keyspace: what was repaired is not what is there. Restore from the beginning."

    async def check(self, context: Context) -> GuardResult:
        then = context.state.fact(facts.TABLES)
        if then is None:
            return not_applicable("the store has not been restored yet")
        now = await tables_baseline(context)
        if changes := _changes(then, now):
            return blocked("; ".join(changes))
        return passed(
            f"ids of {len(now['ids'])} tables, schema version and truncations are as after the store's restore"
        )


def _changes(then: dict[str, Any], now: dict[str, Any]) -> list[str]:
    ids = sorted(name for name in {*then["ids"], *now["ids"]} if then["ids"].get(name) != now["ids"].get(name))
    found = [f"table {name} {_fate(then['ids'].get(name), now['ids'].get(name))}" for name in ids]
    names = {table_id: name for name, table_id in now["ids"].items()}
    for address in sorted({*then["nodes"], *now["nodes"]}):
        before, after = then["nodes"].get(address), now["nodes"].get(address)
        if before is None or after is None:
            found.append(f"node {address} was not there before, or is gone")
            continue
        if before["schema_version"] != after["schema_version"]:
            found.append(f"{address}: schema version was {before['schema_version']}, is {after['schema_version']}")
        for table_id in sorted({*before["truncated_at"], *after["truncated_at"]} & names.keys()):
            if before["truncated_at"].get(table_id) != after["truncated_at"].get(table_id):
                found.append(f"{address}: table {names[table_id]} was truncated")
    return found


def _fate(before: str | None, after: str | None) -> str:
    if before is None:
        return "is new"
    return "is gone" if after is None else f"is another one now: its id was {before}, is {after}"
