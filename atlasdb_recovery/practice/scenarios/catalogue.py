"""Every scenario, in the order in which to learn them."""

from collections.abc import Mapping

from atlasdb_recovery.practice.scenarios.client_still_connected import ClientStillConnected
from atlasdb_recovery.practice.scenarios.everything_fine import EverythingFine
from atlasdb_recovery.practice.scenarios.interrupted_after_half_the_removals import InterruptedAfterHalfTheRemovals
from atlasdb_recovery.practice.scenarios.keyspace_not_empty import KeyspaceNotEmpty
from atlasdb_recovery.practice.scenarios.node_dies_in_the_repair import NodeDiesInTheRepair
from atlasdb_recovery.practice.scenarios.node_down_before_the_repair import NodeDownBeforeTheRepair
from atlasdb_recovery.practice.scenarios.nodetool_says_success import NodetoolSaysSuccess
from atlasdb_recovery.practice.scenarios.replicas_hide_a_commit import ReplicasHideACommit
from atlasdb_recovery.practice.scenarios.scenario import Scenario
from atlasdb_recovery.practice.scenarios.schema_2_and_3 import Schema2And3
from atlasdb_recovery.practice.scenarios.service_still_running import ServiceStillRunning
from atlasdb_recovery.practice.scenarios.timelock_certificate_wrong import TimeLockCertificateWrong
from atlasdb_recovery.practice.scenarios.timelock_leader_dies_in_the_fetch import TimeLockLeaderDiesInTheFetch
from atlasdb_recovery.practice.scenarios.timelock_lock_lost_in_the_backup import TimeLockLockLostInTheBackup
from atlasdb_recovery.practice.scenarios.timelock_wrong_namespace import TimeLockWrongNamespace
from atlasdb_recovery.practice.scenarios.timestamp_files_of_another_keyspace import TimestampFilesOfAnotherKeyspace
from atlasdb_recovery.practice.scenarios.timestamp_files_swapped import TimestampFilesSwapped

SCENARIOS: Mapping[str, type[Scenario]] = {
    scenario.name: scenario
    for scenario in (
        EverythingFine,
        KeyspaceNotEmpty,
        ClientStillConnected,
        NodeDownBeforeTheRepair,
        NodeDiesInTheRepair,
        NodetoolSaysSuccess,
        ReplicasHideACommit,
        TimestampFilesSwapped,
        TimestampFilesOfAnotherKeyspace,
        Schema2And3,
        InterruptedAfterHalfTheRemovals,
        ServiceStillRunning,
        TimeLockWrongNamespace,
        TimeLockCertificateWrong,
        TimeLockLeaderDiesInTheFetch,
        TimeLockLockLostInTheBackup,
    )
}
EVERYTHING_FINE = EverythingFine.name
