"""Seal the backup: everything a restore needs to know, beside the two one-line files."""

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from atlasdb_recovery import __version__
from atlasdb_recovery.atlas import manifest
from atlasdb_recovery.atlas.manifest import BackedUpNode, BackedUpTable, BackedUpTimeLock, Manifest
from atlasdb_recovery.atlas.names import SWEEP_PROGRESS
from atlasdb_recovery.atlas.timestamp_bound import BoundInvalidated, MalformedBound
from atlasdb_recovery.cassandra.ports import Consistency, Keyspace, Node
from atlasdb_recovery.events import Event, FactEstablished
from atlasdb_recovery.procedure import facts
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.copied_tables import copied_tables
from atlasdb_recovery.procedure.guards import preflight
from atlasdb_recovery.procedure.guards.guard import Guard
from atlasdb_recovery.procedure.plan import Plan
from atlasdb_recovery.procedure.removal.scope import stored_schema_map
from atlasdb_recovery.procedure.step import Danger, Evidence, Step, StepFailure
from atlasdb_recovery.procedure.timestamp_row import stored_bound


class SealBackup(Step):
    name = "seal-backup"
    title = "Seal the backup"
    why = (
        "A restore happens on the worst day, perhaps on other machines and by other people. "
        "The manifest tells them what the backup is, and shows whether anything in it was changed or lost since."
    )
    danger = Danger.CHANGES

    def guards(self, context: Context) -> Sequence[Guard]:
        return preflight.before_seal()

    async def plan(self, context: Context) -> Plan:
        return Plan(
            title="write the sealed manifest",
            lines=(f"write {context.backup_dir / manifest.MANIFEST_NAME}",),
        )

    async def perform(self, context: Context, plan: Plan) -> AsyncIterator[Event]:
        keyspace = await context.cluster.keyspace(context.keyspace)
        if keyspace is None:
            raise StepFailure(f"keyspace {context.keyspace} is gone since it was backed up")
        manifest.save(await _manifest(context, keyspace), context.backup_dir)
        yield FactEstablished(
            step=self.name, name=facts.STORE, value={"manifest": str(context.backup_dir / manifest.MANIFEST_NAME)}
        )

    async def verify(self, context: Context) -> Evidence:
        sealed = manifest.load(context.backup_dir)
        if sealed is None:
            raise StepFailure(f"{context.backup_dir / manifest.MANIFEST_NAME} is not there after it was written")
        found = await context.store.verify_copy(context.store_context())
        return Evidence(
            (
                f"sealed: B = {sealed.backup_timestamp}, F = {sealed.fast_forward_timestamp}, "
                f"{len(sealed.tables)} tables",
                *found,
            )
        )


async def _manifest(context: Context, keyspace: Keyspace) -> Manifest:
    identity = await context.cluster.identity()
    try:
        bound = await stored_bound(context, Consistency.QUORUM)
    except (BoundInvalidated, MalformedBound):
        bound = None
    tables = await copied_tables(context)
    sizes = await context.store.sizes(context.store_context())
    return Manifest(
        tool_version=__version__,
        session=context.session,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        keyspace=context.keyspace,
        backup_timestamp=facts.required(context, facts.BACKUP_TIMESTAMP),
        fast_forward_timestamp=facts.required(context, facts.FAST_FORWARD_TIMESTAMP),
        timestamp_service=context.timestamps.description,
        cluster_name=identity.cluster_name,
        partitioner=identity.partitioner,
        release_versions={node.address: node.release_version for node in identity.nodes},
        nodes=tuple(map(_backed_up, identity.nodes)),
        replication=dict(keyspace.replication),
        durable_writes=keyspace.durable_writes,
        keyspace_cql=keyspace.create,
        tables=tuple(
            BackedUpTable(name=t.name, id=t.id, cql=t.create, bytes=size, files=files)
            for t in tables.values()
            for size, files in (sizes.get(t.name, (None, None)),)
        ),
        schema_map=await stored_schema_map(context),
        bound_at_backup=bound,
        store={"method": context.store.name},
        timelock=_timelock(context),
        sweep={"tables": [name for name in SWEEP_PROGRESS if name in tables]},
    )


def _backed_up(node: Node) -> BackedUpNode:
    return BackedUpNode(
        address=node.address,
        host_id=node.host_id,
        data_center=node.data_center,
        rack=node.rack,
        tokens=node.tokens,
    )


def _timelock(context: Context) -> BackedUpTimeLock | None:
    lock = context.state.fact(facts.IMMUTABLE_LOCK)
    if lock is not None:
        return BackedUpTimeLock(namespace=lock["namespace"], immutable_timestamp=lock["immutable"])
    if context.timestamps.uses_stored_bound:
        return None
    return BackedUpTimeLock(namespace=context.settings.namespace, immutable_timestamp=None)
