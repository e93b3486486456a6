"""What a release that can disable namespaces (0.538 to 0.793) answers about it; the recorded 0.900.0 cannot."""

from typing import Any

from atlasdb_recovery.practice.simulated.timelock.asked import Asked, json_of
from atlasdb_recovery.practice.simulated.timelock.ensemble import Ensemble
from atlasdb_recovery.practice.simulated.timelock.pages import Reply, failed, json_reply

DISABLE, COMPLETE, ENABLE = "/tl/management/disable", "/restore/complete", "/tl/management/reenable"
PATHS = frozenset({DISABLE, COMPLETE, ENABLE})


def answered(ensemble: Ensemble, asked: Asked) -> Reply:
    """By the leader."""
    if asked.headers.get("authorization") != f"Bearer {ensemble.backup_token}":
        return failed(403)
    body = json_of(asked, dict[str, Any])
    if asked.path == COMPLETE:
        return json_reply({"successfulNamespaces": _forwarded(ensemble, body["completedBackups"])})
    lock, names = body["lockId"], body["namespaces"]
    if others := [name for name in names if ensemble.disabled.get(name, lock) != lock]:
        held = "Disabled" if asked.path == DISABLE else "Locked"
        kinds = {f"consistently{held}Namespaces": others, f"partially{held}Namespaces": []}
        return json_reply({"type": "unsuccessful", "unsuccessful": kinds})
    for name in names:
        if asked.path == DISABLE:
            ensemble.disabled[name] = lock
        else:
            ensemble.disabled.pop(name, None)
    successful = {"lockId": lock} if asked.path == DISABLE else True
    return json_reply({"type": "successful", "successful": successful})


def _forwarded(ensemble: Ensemble, backups: dict[str, dict[str, Any]]) -> list[str]:
    """Those that were not above their backup's end already."""
    done = []
    for name, backup in backups.items():
        led = ensemble.namespace(name)
        if led.fresh()[0] <= backup["backupEndTimestamp"]:
            led.fast_forward(backup["backupEndTimestamp"])
            done.append(name)
    return done
