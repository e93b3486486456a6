"""TimeLock keeps everybody off a namespace while its keyspace is being restored, where its release offers that.

Agrees with `AtlasRestoreService` and `AtlasRestoreClient` of AtlasDB 0.538 to 0.793. They ask for the bearer token that
TimeLock's runtime configuration calls `permitted-backup-token`.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.timestamps.answers import NotUnderstood, Shape, read_as
from atlasdb_recovery.timestamps.servers import TOTAL_SECONDS, Answer, Request, Servers
from atlasdb_recovery.timestamps.service import CompletedBackup, Seen, TimestampServiceRefused, unseen
from atlasdb_recovery.timestamps.timelock_servers import HEADERS

DISABLE, COMPLETE, ENABLE = "/tl/management/disable", "/restore/complete", "/tl/management/reenable"
LONGEST = 10_000


class NotOffered(TimestampServiceRefused):
    """This release of TimeLock knows nothing of disabled namespaces."""


class _Union(msgspec.Struct):
    type: str
    unsuccessful: Any = None


class _Completed(msgspec.Struct):
    successful: list[str] = msgspec.field(name="successfulNamespaces")


def token_servers(addresses: Sequence[str], tls: TlsFiles | None, token: str, *, seen: Seen = unseen) -> Servers:
    """TimeLock's servers, asked with this token."""
    headers = {**HEADERS, "Authorization": f"Bearer {token}"}
    return Servers(addresses, tls, _refused, names_leader=True, headers=headers, seen=seen)


def _refused(server: str, what: str) -> TimestampServiceRefused:
    kind = NotOffered if "HTTP 404" in what else TimestampServiceRefused
    return kind(
        f"{server} {what}. A namespace is disabled and enabled with the token that TimeLock's runtime configuration"
        " has as `permitted-backup-token`: check `timestamps.backup_token` in recovery.yml."
    )


class DisabledNamespace:
    """`NamespaceDisabling` of one namespace."""

    def __init__(self, servers: Servers, namespace: str, *, total: float = TOTAL_SECONDS) -> None:
        self._servers = servers
        self._namespace = namespace
        self._total = total

    async def disable(self, lock: str) -> bool:
        """May be asked again under the same lock. False where this release offers nothing of the kind."""
        try:
            answer = await self._ask(DISABLE, {"namespaces": [self._namespace], "lockId": lock})
        except NotOffered:
            return False
        self._require_success(answer, "disabled")
        return True

    async def enable(self, lock: str, backup: CompletedBackup) -> None:
        """Fast-forwards it to the backup's end while nobody can ask it, then enables it. May be asked again.

        A fast-forward that was not accepted, because it is above already, is seen by whoever asks it afterwards.
        """
        completed = {
            "namespace": self._namespace,
            "immutableTimestamp": backup.immutable,
            "backupStartTimestamp": backup.start,
            "backupEndTimestamp": backup.end,
        }
        answer = await self._ask(COMPLETE, {"completedBackups": {self._namespace: completed}})
        _read(answer, _Completed)
        answer = await self._ask(ENABLE, {"namespaces": [self._namespace], "lockId": lock})
        self._require_success(answer, "enabled")

    def requests_to_enable(self, lock: str) -> tuple[str, ...]:
        body = msgspec.json.encode({"namespaces": [self._namespace], "lockId": lock}).decode()
        return (f"POST {COMPLETE}", f"POST {ENABLE} {body}")

    async def _ask(self, path: str, body: Any) -> Answer:
        request = Request("POST", path, body=msgspec.json.encode(body), longest=LONGEST)
        return await self._servers.ask(request, asyncio.get_running_loop().time() + self._total)

    def _require_success(self, answer: Answer, what: str) -> None:
        union = _read(answer, _Union)
        if union.type != "successful":
            raise TimestampServiceRefused(
                f"TimeLock's namespace “{self._namespace}” cannot be {what} on every server:"
                f" {msgspec.json.encode(union.unsuccessful).decode()[:500]}. A restore that has not ended may have"
                f" disabled it under a lock of its own: resume that one, or enable it with that lock (POST {ENABLE})."
                " Or a server is down: start it, then try again."
            )


def _read(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return read_as(answer, shape, "answer about a disabled namespace")
    except NotUnderstood as error:
        raise _refused(answer.server, str(error)) from None
