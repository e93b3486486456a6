"""What goes wrong in a simulation, set by scenarios and tests.

One queue: "before the n-th time the cluster reaches this point, do this". Points are the ports' methods by name,
and places inside them:

    scan read read_partition put delete put_unless_exists check_and_set change_schema keyspace identity
    paxos.prepared paxos.accepted paxos.committed    inside a conditional write, before its next phase
    repair.range                                     before each range that a repair makes agree
    snapshot refresh import                          before a node's nodetool verb

An action that raises (`NotEnoughReplicas`, `OutcomeUnknown`) is a request that failed there.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from atlasdb_recovery.cassandra.ports import NotEnoughReplicas, OutcomeUnknown

FaultAction = Callable[[], None]


class CommandFault(msgspec.Struct, frozen=True):
    """The next nodetool command whose words begin with `arguments` ends like this, and does nothing.

    `address` None: on any node. `hangs`: it never answers (`run` raises NodetoolFailed).
    """

    arguments: tuple[str, ...] = ()
    address: str | None = None
    exit_code: int = 1
    stdout: tuple[str, ...] = ()
    stderr: tuple[str, ...] = ()
    hangs: bool = False


class RepairFault(msgspec.Struct, frozen=True):
    """What is wrong with a node's next repair command.

    `hollow`: says success and makes nothing agree. `lost_start`: its first line is lost. `killed_after`: nodetool dies
    after that many lines by signal 9 while the server goes on for `goes_on_for` seconds. `failed_session`: the session
    with this index (from 0) fails with `error`; on Palantir's fork the exit code is 0 all the same. `silent_after`:
    after that many lines nothing is printed for `silent_for` seconds; if `deaf`, the server has finished meanwhile,
    and nodetool, which lost what it was told, ends without another word.
    """

    hollow: bool = False
    lost_start: bool = False
    killed_after: int | None = None
    goes_on_for: float = 20.0
    failed_session: int | None = None
    error: str = "Validation failed in /127.0.0.9"
    silent_after: int | None = None
    silent_for: float = 100.0
    deaf: bool = False


@dataclass(slots=True)
class _Awaited:
    point: str
    passes: int
    action: FaultAction


@dataclass
class Faults:
    """`lossy`: nodes that drop every mutation sent to them. `loss`: the chance that any one mutation is dropped.
    `read_only`: tables that our user may not write to."""

    lossy: set[str] = field(default_factory=set)
    read_only: set[str] = field(default_factory=set)
    loss: float = 0.0
    commands: list[CommandFault] = field(default_factory=list)
    repairs: dict[str, deque[RepairFault]] = field(default_factory=dict)
    _awaited: list[_Awaited] = field(default_factory=list)

    def before(self, point: str, action: FaultAction, *, passes: int = 0) -> None:
        """Do this the next time `point` is reached, after it was passed `passes` times."""
        self._awaited.append(_Awaited(point, passes, action))

    def forget(self) -> None:
        """What was to be done at points that were not reached is not done."""
        self._awaited.clear()

    def reached(self, point: str) -> None:
        if not self._awaited:
            return
        for awaited in [one for one in self._awaited if one.point == point]:
            if awaited.passes > 0:
                awaited.passes -= 1
            else:
                self._awaited.remove(awaited)
                awaited.action()

    def calm(self) -> None:
        """Nothing that still waits to go wrong does, and no mutation is dropped any more."""
        self.forget()
        self.commands.clear()
        self.repairs.clear()
        self.lossy.clear()
        self.loss = 0.0

    def in_next_repair(self, address: str, fault: RepairFault) -> None:
        self.repairs.setdefault(address, deque()).append(fault)

    def of_repair(self, address: str) -> RepairFault:
        waiting = self.repairs.get(address)
        return waiting.popleft() if waiting else RepairFault()

    def of_command(self, address: str, arguments: tuple[str, ...]) -> CommandFault | None:
        for fault in self.commands:
            if fault.address in {None, address} and arguments[: len(fault.arguments)] == fault.arguments:
                self.commands.remove(fault)
                return fault
        return None


def times_out() -> None:
    """An action: too few replicas answered in time."""
    raise NotEnoughReplicas("The replicas did not answer in time (simulated). A write may have happened.")


def outcome_unknown() -> None:
    """An action: a conditional write timed out."""
    raise OutcomeUnknown("The conditional write timed out (simulated): it may or may not have been applied.")
