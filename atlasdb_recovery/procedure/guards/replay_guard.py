"""The guard against leftovers of the tables' earlier life."""

from atlasdb_recovery.atlas.names import COORDINATION, TIMESTAMP, TRANSACTIONS, TRANSACTIONS2, deterministic_table_id
from atlasdb_recovery.cassandra.ports import Keyspace
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.guards.guard import Guard, GuardResult, blocked, not_applicable, passed
from atlasdb_recovery.procedure.steps.names import CLEAN_TRANSACTIONS

CAS_TABLES = (TRANSACTIONS, TRANSACTIONS2, COORDINATION, TIMESTAMP)
PAXOS_REMEDY = (
    "Paxos rows: TRUNCATE system.paxos on each node named (with cqlsh on that node: the table is its own), while "
    "nobody is connected to the cluster."
)
HINTS_REMEDY = (
    "Hints: wait until they are delivered, or nodetool truncatehints on each node named (hints of other keyspaces go "
    "with them: repair those afterwards)."
)


class NothingOldCanReplay(Guard):
    proves = "No Paxos state or hint of an earlier life of these tables is left that could bring a write back."
    remedy = f"{PAXOS_REMEDY} {HINTS_REMEDY} Then check again."

    async def check(self, context: Context) -> GuardResult:
        if context.state.step(CLEAN_TRANSACTIONS).began:
            return not_applicable("this session's own conditional writes have begun")
        keyspace = await context.cluster.keyspace(context.keyspace)
        ids = _ids_to_be(context) if keyspace is None or not keyspace.tables else _ids_of(keyspace)
        paxos, hints = [], []
        for node in (await context.cluster.identity()).nodes:
            if rows := await context.cluster.paxos_rows(node.address, ids):
                paxos.append(f"{node.address} has {rows} rows of these tables in system.paxos")
            if count := await context.cluster.pending_hints(node.address):
                hints.append(f"{node.address} holds {count} hints")
        return _judged(paxos, hints, harmless=(keyspace is None or not keyspace.tables) and _makes_new_ids(context))


def _makes_new_ids(context: Context) -> bool:
    """Whether the tables to come are created here, under ids that nothing left over can know."""
    return context.store.name == "snapshot"


def _ids_of(keyspace: Keyspace) -> frozenset[str]:
    return frozenset(table.id for table in keyspace.tables.values())


def _ids_to_be(context: Context) -> frozenset[str]:
    """The ids under which another tool may create the tables again: the backup's, and those that AtlasDB gives."""
    manifest = context.manifest
    backed_up = () if manifest is None else manifest.tables
    names = {*CAS_TABLES, *(table.name for table in backed_up)}
    return frozenset(
        {*(deterministic_table_id(context.keyspace, name) for name in names), *(table.id for table in backed_up)}
    )


def _judged(paxos: list[str], hints: list[str], *, harmless: bool) -> GuardResult:
    if hints or (paxos and not harmless):
        remedies = [*([PAXOS_REMEDY] if paxos and not harmless else []), *([HINTS_REMEDY] if hints else [])]
        return blocked("; ".join([*paxos, *hints]), f"{' '.join(remedies)} Then check again.")
    if paxos:
        return passed("; ".join(paxos) + ": under ids that the restored tables will not have")
    return passed("no Paxos rows and no hints for these tables on any node")
