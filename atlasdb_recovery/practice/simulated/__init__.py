"""A whole Cassandra cluster in this process: replicas that disagree, Paxos, repair, nodetool, store files.

It behaves as the real ones were measured to behave, in two dialects, and answers the same protocols
(`cassandra/ports.py`) under the same contract suite. No sockets, no threads; deterministic from its seed.
"""

from atlasdb_recovery.practice.simulated.clock import PacedClock, SimulatedClock, Speed
from atlasdb_recovery.practice.simulated.cluster import SimulatedCluster
from atlasdb_recovery.practice.simulated.dialect import Dialect
from atlasdb_recovery.practice.simulated.faults import CommandFault, Faults, RepairFault
from atlasdb_recovery.practice.simulated.nodetool import SimulatedNodetool

__all__ = [
    "CommandFault",
    "Dialect",
    "Faults",
    "PacedClock",
    "RepairFault",
    "SimulatedClock",
    "SimulatedCluster",
    "SimulatedNodetool",
    "Speed",
]
