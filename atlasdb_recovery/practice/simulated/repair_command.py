"""One repair command in a node: which ranges of which tables on which replicas, made to agree session by session.

The lines come as they would from `nodetool repair`; what they stand for happens while they are drawn. Drawn by
nobody (nodetool killed), the rest still happens when the server gets to it.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from zlib import crc32

import msgspec

from atlasdb_recovery.cassandra.ports import RepairRecord, TokenRange
from atlasdb_recovery.practice.simulated.answer import traced
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.faults import RepairFault
from atlasdb_recovery.practice.simulated.node import SimulatedNode
from atlasdb_recovery.practice.simulated.repair_options import RepairOptions
from atlasdb_recovery.practice.simulated.repair_plan import NotRepairable, RepairPlan, Session, planned
from atlasdb_recovery.practice.simulated.repair_shares import RepairShares
from atlasdb_recovery.practice.simulated.servers import SimulatedServers
from atlasdb_recovery.practice.simulated.storage import Position

DISCOVERED = "condition satisfied queried for parent session status and discovered repair completed."
SUCCESS = "Repair completed successfully"


class Printed(msgspec.Struct, frozen=True):
    stream: str
    text: str


class CoordinatorDied(Exception):
    """The node that ran the repair is gone, and its JMX connection with it."""


class RepairCommand:
    """`nodetool repair` of one keyspace on one node. Iterate once; then `exit_code` is set."""

    def __init__(
        self,
        servers: SimulatedServers,
        node: SimulatedNode,
        keyspace: str,
        tables: Sequence[str],
        options: RepairOptions,
        fault: RepairFault,
    ) -> None:
        self._servers = servers
        self._node = node
        self._keyspace = keyspace
        self._tables = tuple(tables)
        self._options = options
        self._fault = fault
        self._old = servers.dialect is Dialect.PALANTIR
        self.number = 0
        self.exit_code = 0

    def lines(self) -> Iterator[Printed]:
        if all(len(one.replicas) < 2 for one in self._servers.ring(self._keyspace).ranges()):
            nothing = (
                f"Nothing to repair for keyspace '{self._keyspace}'"
                if self._old
                else f"Replication factor is 1. No repair is needed for keyspace '{self._keyspace}'"
            )
            yield self._out(nothing)
            return
        self._node.repair_commands += 1
        self.number = self._node.repair_commands
        self._node.repairs.add(self.number)
        try:
            yield from self._run()
        except CoordinatorDied:
            yield from self._connection_closed()
        finally:
            self._node.repairs.discard(self.number)

    def _run(self) -> Iterator[Printed]:
        began = self._servers.wall.time()
        parent = self._servers.time_id(self._node)
        try:
            plan = planned(self._servers, self._node, self._keyspace, self._tables, self._options)
        except NotRepairable as error:
            yield from self._failed(str(error))
            return
        if not plan.tables and not self._old:
            yield from self._empty(parent)
            return
        record = self._record(parent, began, plan)
        if not self._fault.lost_start:
            yield self._out(self._start(parent, plan))
        if problem := self._unprepared(plan):
            self._finish(record, None, problem)
            yield from self._failed(problem)
            return
        self._work = RepairShares(self._servers, self._node, self._keyspace, self.number, plan)
        done: list[TokenRange] = []
        failure: str | None = None
        for index, session in enumerate(plan.sessions):
            wrong = self._perform(plan, session, index)
            text = f"Repair session {self._servers.time_id(self._node)} for range {session.text(self._old)}"
            if wrong is None:
                done += session.ranges
                yield self._out(f"{text} finished (progress: {self._progress(index, plan)}%)")
            elif self._old:
                failure = failure or f"{text} failed with error {wrong}"
                yield self._out(f"{text} failed with error {wrong} (progress: {self._progress(index, plan)}%)")
            else:
                failure = failure or f"{text} failed with error {wrong}"
        self._finish(record, done, failure)
        yield from self._ending(began, failure)

    def _perform(self, plan: RepairPlan, session: Session, index: int) -> str | None:
        """Make a session's ranges agree; what went wrong, if something did."""
        servers = self._servers
        for one in session.ranges:
            servers.faults.reached("repair.range")
            servers.wall.advance(servers.seconds_per_range)
            if self.number not in self._node.repairs:
                raise CoordinatorDied
            for address in session.participants:
                if not servers.nodes[address].up:
                    return f"Endpoint /{address}{'' if self._old else ':7000'} died"
            if index == self._fault.failed_session:
                return self._fault.error
            streamed = 0
            if plan.changes_data and not self._fault.hollow:
                streamed = self._make_agree(plan, session, one)
            self._work.range_ended(one, streamed)
        return None

    def _make_agree(self, plan: RepairPlan, session: Session, one: TokenRange) -> int:
        """How many cells went over the wire for it."""
        nodes = [self._servers.nodes[address] for address in session.participants]
        receiving = [self._node] if plan.pull else nodes
        segments = list(self._servers.ring(self._keyspace).segments(bytes.fromhex(one.start), bytes.fromhex(one.end)))
        for node in nodes:
            node.validations += len(plan.tables)
        streamed = 0
        if len(nodes) < 2:
            return streamed
        for table_id in plan.table_ids:
            stores = [node.store(table_id) for node in nodes]
            for segment in segments:
                positions = {p for store in stores for p in store.between(segment.after, segment.until)}
                for position in positions:
                    if self._overlooked(position):
                        continue
                    winner = max(found for store in stores if (found := store.cells.get(position)) is not None)
                    for node in receiving:
                        streamed += node.store(table_id).merge(position, winner)
        return streamed

    def _overlooked(self, position: Position) -> bool:
        """Whether the Merkle trees hide this cell's difference: always the same cells, so repeating does not help."""
        share = self._servers.repair_blindness
        return share > 0 and crc32(position[0] + position[1]) < share * 2**32

    def _unprepared(self, plan: RepairPlan) -> str | None:
        if plan.refusal is not None:
            return plan.refusal
        down = sorted({address for one in plan.sessions for address in one.participants} - self._up())
        if not down:
            return None
        if self._old:
            return f"Did not get positive replies from all endpoints. List of failed endpoint(s): [{', '.join(down)}]"
        return f"Endpoint not alive: /{down[0]}:7000"

    def _up(self) -> set[str]:
        return {address for address, node in self._servers.nodes.items() if node.up}

    def _progress(self, index: int, plan: RepairPlan) -> int:
        """2.2: prepared ranges count four; later versions print the state's ordinal, always this."""
        return 100 * (5 + index) // (4 + len(plan.sessions)) if self._old else 57

    def _start(self, parent: str, plan: RepairPlan) -> str:
        asked, options = self._options, plan
        shared = (
            f"parallelism: {'sequential' if asked.has('sequential') else 'parallel'}, "
            f"primary range: {_lower(asked.has('primary_range'))}, incremental: {_lower(options.incremental)}, "
            f"job threads: {asked.values.get('job_threads', '1')}, ColumnFamilies: [{', '.join(self._tables)}], "
            f"dataCenters: [{', '.join(asked.data_centers)}], hosts: [{', '.join(asked.hosts)}], "
        )
        count = f"# of ranges: {len(plan.ranges)}"
        if self._old:
            tail = count
        else:
            tail = (
                f"previewKind: {'ALL' if asked.has('preview') else 'NONE'}, {count}, "
                f"pull repair: {_lower(plan.pull)}, force repair: {_lower(asked.has('force'))}, "
                "optimise streams: false, ignore unreplicated keyspaces: false, "
                f"repairPaxos: {_lower(not asked.has('skip_paxos'))}, paxosOnly: {_lower(asked.has('paxos_only'))}"
            )
        name = f"#{self.number}" if self._old else f"#{self.number} ({parent})"
        return (
            f"Starting repair command {name}, repairing keyspace {self._keyspace} with repair options ({shared}{tail})"
        )

    def _ending(self, began: float, failure: str | None) -> Iterator[Printed]:
        seconds = int(self._servers.wall.time() - began)
        took = f"{seconds} second{'' if seconds == 1 else 's'}"
        if self._old:
            yield self._out(SUCCESS if failure is None else "Some repair failed")
            yield self._out(f"Repair command #{self.number} finished in {took} for keyspace {self._keyspace}")
        elif failure is not None:
            yield from self._failed(failure)
        else:
            success = "Repair preview completed successfully" if self._options.has("preview") else SUCCESS
            finished = f"Repair command #{self.number} finished in {took}"
            for text in (success, finished, DISCOVERED, success):
                yield self._out(text)

    def _failed(self, problem: str) -> Iterator[Printed]:
        """2.2 says what went wrong and exits 0; later versions exit 2."""
        message = problem if self._old else f"Repair command #{self.number} failed with error {problem}"
        yield self._out(message)
        yield self._out(f"Repair command #{self.number} finished with error")
        if not self._old:
            self.exit_code = 2
            for text in traced(
                f"Repair job has failed with the error message: {message}. "
                "Check the logs on the repair participants for further details",
                "java.lang.RuntimeException",
            ):
                yield Printed("stderr", text)

    def _empty(self, parent: str) -> Iterator[Printed]:
        text = f"{parent} Empty keyspace, skipping repair: {self._keyspace}"
        finished = f"Repair command #{self.number} finished in 0 seconds"
        for line in (f"Repair {parent} skipped: {text}", text, finished, DISCOVERED, text):
            yield self._out(line)

    def _connection_closed(self) -> Iterator[Printed]:
        self.exit_code = 2
        if not self._old:
            yield Printed("stdout", "Cassandra has shutdown.")
        closed = (
            f"{self._stamp()} JMX connection closed. You should check server log for repair status of keyspace "
            f"{self._keyspace}(Subsequent keyspaces are not going to be repaired)."
        )
        for text in traced(closed, "java.io.IOException"):
            yield Printed("stderr", text)

    def _record(self, parent: str, began: float, plan: RepairPlan) -> int:
        """Remember it as `parent_repair_history` does; where in the history."""
        asked = self._options
        options = {
            "dataCenters": ",".join(asked.data_centers),
            "forceRepair": _lower(asked.has("force")),
            "hosts": ",".join(asked.hosts),
            "incremental": _lower(plan.incremental),
            "jobThreads": asked.values.get("job_threads", "1"),
            "optimiseStreams": "false",
            "parallelism": "sequential" if asked.has("sequential") else "parallel",
            "paxosOnly": _lower(asked.has("paxos_only")),
            "previewKind": "NONE",
            "primaryRange": _lower(asked.has("primary_range")),
            "pullRepair": _lower(plan.pull),
            "repairPaxos": _lower(not asked.has("skip_paxos")),
            "sub_range_repair": _lower("start" in asked.values or "end" in asked.values),
            "trace": _lower(asked.has("trace")),
        }
        record = RepairRecord(
            parent_id=parent,
            keyspace=self._keyspace,
            tables=frozenset(plan.tables),
            requested_ranges=frozenset(_text(one) for one in plan.ranges),
            successful_ranges=None,
            started_at=began,
            finished_at=None,
            error=None,
            options={} if self._old else options,
        )
        if not asked.has("preview"):
            self._servers.history.append(record)
        return len(self._servers.history) - 1

    def _finish(self, at: int, done: list[TokenRange] | None, error: str | None) -> None:
        if self._options.has("preview"):
            return
        self._servers.history[at] = msgspec.structs.replace(
            self._servers.history[at],
            successful_ranges=None if done is None else frozenset(_text(one) for one in done),
            finished_at=self._servers.wall.time(),
            error=error,
        )

    def _out(self, text: str) -> Printed:
        return Printed("stdout", f"{self._stamp()} {text}")

    def _stamp(self) -> str:
        now = datetime.fromtimestamp(self._servers.wall.time(), UTC)
        return f"[{now:%Y-%m-%d %H:%M:%S},{now.microsecond // 1000:03}]"


def _lower(truth: bool) -> str:
    return str(truth).lower()


def _text(one: TokenRange) -> str:
    return f"({one.start},{one.end}]"
