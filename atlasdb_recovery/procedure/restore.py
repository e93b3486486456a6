"""AtlasDB's restore, top to bottom (offline; the keyspace does not exist; nobody else touches it)."""

from collections.abc import Sequence

from atlasdb_recovery.procedure.step import Step
from atlasdb_recovery.procedure.steps.clean_transactions import CleanTransactions
from atlasdb_recovery.procedure.steps.fast_forward import FastForward
from atlasdb_recovery.procedure.steps.preflight import RestorePreflight
from atlasdb_recovery.procedure.steps.prove import Prove
from atlasdb_recovery.procedure.steps.repair import Repair
from atlasdb_recovery.procedure.steps.restore_store import RestoreStore


def restore_steps() -> Sequence[Step]:
    return (
        RestorePreflight(),
        RestoreStore(),
        Repair(),
        CleanTransactions(),
        FastForward(),
        Prove(),
    )
