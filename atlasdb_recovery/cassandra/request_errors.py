"""What the driver's errors mean for a request: refused, too few answers, or an outcome that nobody knows."""

from typing import Any

from cassandra import (
    ConsistencyLevel,
    DriverException,
    ReadFailure,
    ReadTimeout,
    RequestValidationException,
    Unauthorized,
    Unavailable,
)
from cassandra.cluster import NoHostAvailable
from cassandra.connection import ConnectionBusy, ConnectionException, ProtocolError
from cassandra.protocol import ErrorMessage
from cassandra.protocol import RequestValidationException as RefusedMessage

from atlasdb_recovery.cassandra.ports import (
    ClusterUnreachable,
    NotEnoughReplicas,
    OutcomeUnknown,
    StatementRefused,
)
from atlasdb_recovery.foreign import plain

REQUEST_ERRORS = (NoHostAvailable, DriverException, ErrorMessage, ConnectionException, ConnectionBusy, ProtocolError)
"""Everything that the driver raises for a request that it could not bring to a good end."""

_REFUSED = (RequestValidationException, RefusedMessage)
_TOO_MUCH = (ReadTimeout, ReadFailure)
_PAXOS_LEVELS = (ConsistencyLevel.SERIAL, ConsistencyLevel.LOCAL_SERIAL)


GAVE_UP = (
    " If they scanned over too many tombstones, raise tombstone_failure_threshold on every node for the time being "
    "(cassandra.yaml, or by JMX), or compact the table."
)


class TimedOut(NotEnoughReplicas):
    """The replicas did not answer in time, or gave up on it. A smaller request may succeed."""


def of_repeatable(error: BaseException, level: str, node: str | None) -> Exception:
    """For a read, or a write at an explicit write time: it may be sent again."""
    if isinstance(error, NoHostAvailable):
        return _unreachable(error, node)
    if isinstance(error, _REFUSED):
        return _refused(error)
    kind = TimedOut if isinstance(error, _TOO_MUCH) else NotEnoughReplicas
    where = f" from {node}" if node else ""
    return kind(
        f"too few replicas answered{where} at {level}: {_said(error)}. Whether a write reached some of them is not "
        f"known. {'Every replica is needed' if level == 'ALL' else 'Look for the cause'}: see nodetool status and the "
        f"nodes' logs, then try again.{GAVE_UP if isinstance(error, ReadFailure) else ''}"
    )


def of_conditional(error: BaseException) -> Exception:
    """For a conditional write. Only what surely was never proposed is an ordinary error.

    An Unavailable at the commit level comes after the proposal was accepted (`StorageProxy.commitPaxos`): the next
    serial read or write finishes it.
    """
    if isinstance(error, NoHostAvailable):
        return _unreachable(error, None)
    if isinstance(error, _REFUSED):
        return _refused(error)
    if isinstance(error, Unavailable) and error.consistency in _PAXOS_LEVELS:
        return NotEnoughReplicas(
            f"too few replicas are up for a conditional write, which was not begun: {_said(error)}. "
            "Look at nodetool status, then try again."
        )
    return OutcomeUnknown(
        f"a conditional write did not come to a known end ({_said(error)}): it may have been applied, or may be "
        "applied later. Read again at SERIAL before deciding."
    )


def _refused(error: BaseException) -> StatementRefused:
    remedy = (
        "Grant the user of cql.username what it lacks, then try again."
        if isinstance(error, Unauthorized)
        else "Check the names, that keyspace and table are there, and that nobody changes the schema meanwhile."
    )
    return StatementRefused(f"the server would not run a statement: {_said(error)}. Nothing was changed. {remedy}")


def _unreachable(error: NoHostAvailable, node: str | None) -> ClusterUnreachable:
    errors: dict[Any, Any] = error.errors if isinstance(error.errors, dict) else {}
    tried = "; ".join(f"{host}: {_said(cause)}" for host, cause in errors.items())
    return ClusterUnreachable(
        f"{f'node {node}' if node else 'no node'} answered ({tried or plain(str(error))}). "
        "Look at nodetool status; start the nodes that are down, then try again."
    )


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {plain(str(error), 1_000)}"
