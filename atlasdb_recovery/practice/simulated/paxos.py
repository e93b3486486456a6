"""Conditional writes: ballots, proposals that outlive a timeout, and the rows they leave in `system.paxos`.

`StorageProxy.cas` and `PaxosState` of Cassandra: prepare at a quorum of replicas, finish what an earlier round left
unfinished, read, propose, commit at ALL. A ballot is the coordinator's wall clock in microseconds, never going back,
and is the write time: a cell with a later one hides the write, and the answer is "applied" all the same.
"""

from collections.abc import Callable

from atlasdb_recovery.cassandra.ports import CasOutcome, Consistency, NotEnoughReplicas, OutcomeUnknown
from atlasdb_recovery.practice.simulated.coordinator import Coordinator, required
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.node import Commit, PaxosRow, SimulatedNode
from atlasdb_recovery.practice.simulated.servers import SimulatedServers
from atlasdb_recovery.practice.simulated.storage import Position, written

Condition = Callable[[bytes | None], bool]


class Paxos:
    """Lightweight transactions of the simulated servers."""

    def __init__(self, servers: SimulatedServers, coordinator: Coordinator) -> None:
        self._servers = servers
        self._coordinator = coordinator

    def compare_and_set(
        self, keyspace: str, table_id: str, position: Position, holds: Condition, value: bytes, commit: Consistency
    ) -> CasOutcome:
        """Write `value` if `holds` of the current value, commit at that level. Raises `NotEnoughReplicas`,
        `OutcomeUnknown`."""
        servers = self._servers
        replicas = servers.ring(keyspace).replicas(position[0])
        participants = self._participants(replicas)
        ballot = self.prepare(table_id, position[0], participants, replicas)
        servers.faults.reached("paxos.prepared")
        current = self._current(table_id, position, participants)
        if not holds(current):
            return CasOutcome(applied=False, current=current)
        proposal: Commit = (ballot, position, written(ballot, value, signed=servers.dialect.compares_signed))
        for node in participants:
            _row(node, table_id, position[0]).accepted = proposal
        servers.faults.reached("paxos.accepted")
        if servers.dialect is Dialect.APACHE:
            self._require_for_commit(replicas, commit)
        committed = self._commit(table_id, proposal, replicas)
        servers.faults.reached("paxos.committed")
        if committed < required(commit, len(replicas)):
            raise OutcomeUnknown(
                f"The conditional write was committed on {committed} of {len(replicas)} replicas in time (simulated). "
                "Read again before deciding."
            )
        return CasOutcome(applied=True, current=None)

    def _require_for_commit(self, replicas: tuple[str, ...], commit: Consistency) -> None:
        """4.0 and later look for the level's replicas only now (`ReplicaPlans.forWrite`): accepted, not committed."""
        try:
            self._coordinator.contacted(replicas, commit, self._servers.coordinator())
        except NotEnoughReplicas as error:
            raise OutcomeUnknown(f"The proposal was accepted; its commit was not sent: {error}") from None

    def prepare(self, table_id: str, key: bytes, participants: list[SimulatedNode], replicas: tuple[str, ...]) -> int:
        """Promise a new ballot, after finishing what an earlier round left: a commit that a replica missed, then a
        proposal that was accepted and never committed. Both are found by table id and key alone."""
        rows = [_row(node, table_id, key) for node in participants]
        newest = max((row.committed for row in rows if row.committed), default=None)
        if newest is not None and any(row.committed != newest for row in rows):
            self._commit(table_id, newest, tuple(node.address for node in participants))
        unfinished = max((row.accepted for row in rows if row.accepted), default=None)
        if unfinished is not None and (newest is None or unfinished[0] > newest[0]):
            self._commit(table_id, unfinished, replicas)
        coordinator = self._servers.coordinator()
        now = self._servers.wall.micros() + round(coordinator.skew * 1_000_000)
        ballot = max(now, 1 + max(row.promised for row in rows))
        for row in rows:
            row.promised = ballot
        return ballot

    def serial_participants(self, keyspace: str, table_id: str, key: bytes) -> list[SimulatedNode]:
        """The replicas of a SERIAL read, with everything unfinished finished. It leaves Paxos rows too."""
        replicas = self._servers.ring(keyspace).replicas(key)
        participants = self._participants(replicas)
        self.prepare(table_id, key, participants, replicas)
        return participants

    def _participants(self, replicas: tuple[str, ...]) -> list[SimulatedNode]:
        """Every live replica; a quorum of them must be."""
        self._coordinator.contacted(replicas, Consistency.QUORUM, self._servers.coordinator())
        return [node for address in replicas if (node := self._servers.nodes[address]).up]

    def _current(self, table_id: str, position: Position, participants: list[SimulatedNode]) -> bytes | None:
        version = self._coordinator.read(table_id, position, participants)
        return None if version is None or version[1] else version[3]

    def _commit(self, table_id: str, commit: Commit, replicas: tuple[str, ...]) -> int:
        """How many replicas took the commit."""
        _, position, version = commit
        taken = 0
        for address in replicas:
            if self._coordinator.spread((address,), table_id, position, version):
                row = _row(self._servers.nodes[address], table_id, position[0])
                row.committed = max(row.committed or commit, commit)
                if row.accepted is not None and row.accepted[0] <= commit[0]:
                    row.accepted = None
                taken += 1
        return taken


def _row(node: SimulatedNode, table_id: str, key: bytes) -> PaxosRow:
    found = node.paxos.get((table_id, key))
    if found is None:
        found = node.paxos[table_id, key] = PaxosRow()
    return found
