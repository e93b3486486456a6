"""Which store method the settings ask for."""

from atlasdb_recovery.procedure.store_methods import StoreMethod
from atlasdb_recovery.procedure.store_methods.command import CommandStore
from atlasdb_recovery.procedure.store_methods.external import ExternalStore
from atlasdb_recovery.procedure.store_methods.snapshot import SnapshotStore
from atlasdb_recovery.settings import StoreSettings

METHODS: dict[str, type[StoreMethod]] = {
    "external": ExternalStore,
    "command": CommandStore,
    "snapshot": SnapshotStore,
}


def store_method(settings: StoreSettings) -> StoreMethod:
    return METHODS[settings.method]()
