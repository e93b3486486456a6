"""Names of the facts that steps establish and later steps rely on, and their readings."""

from typing import Any

from atlasdb_recovery.cassandra.ports import ClusterIdentity
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.procedure.step import StepFailure

BACKUP_TIMESTAMP = "backup-timestamp"
FAST_FORWARD_TIMESTAMP = "fast-forward-timestamp"
IMMUTABLE_LOCK = "immutable-timestamp-lock"
"""TimeLock's lock on the immutable timestamp: `immutable`, `token`, and the `namespace`."""
IDENTITY = "cluster-identity"
TABLES = "tables"
"""Per node: schema version and truncations; and each table's id. Baseline of “repair meant this table”."""
TIMESTAMP_ROW = "timestamp-row"
"""Value and write time of the `_timestamp` bound; nobody but us may change it until the end."""
TABLES_AT_BACKUP = "tables-at-backup-timestamp"
"""Each table's id, right after B was fetched and before anything was copied."""
STORE = "store"
EXPORT = "export"
FINDINGS = "findings"
REMOVED = "removed"
FAST_FORWARDED = "fast-forwarded"
THRIFT_DISABLED = "thrift-disabled"
NAMESPACE_DISABLED = "namespace-disabled"
"""The lock under which this session has disabled TimeLock's namespace, until it is enabled again."""


def required(context: Context, name: str) -> Any:
    """The fact, or a StepFailure saying that an earlier step has to run first."""
    value = context.state.fact(name)
    if value is None:
        raise StepFailure(
            f"{name} is not known: an earlier step has not established it",
            remedy="Run the procedure from its beginning; the journal of this session is incomplete.",
        )
    return value


def identity_fact(identity: ClusterIdentity) -> dict[str, Any]:
    """What of a cluster's identity must stay the same, as plain values."""
    return {
        "cluster_name": identity.cluster_name,
        "partitioner": identity.partitioner,
        "nodes": {node.host_id: node.address for node in sorted(identity.nodes, key=lambda n: n.address)},
        "tokens": {node.address: list(node.tokens) for node in sorted(identity.nodes, key=lambda n: n.address)},
    }
