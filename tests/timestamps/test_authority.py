"""Which timestamp service is asked, by the service's configuration, live and offline."""

from pathlib import Path
from typing import cast

import pytest

from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.settings import Settings, load
from atlasdb_recovery.timestamps.authority import service_for
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused

STORE = (
    "keyValueService: {type: cassandra, keyspace: inventory, servers: ['c:9160'],"
    " credentials: {username: a, password: b}}"
)
REMOTE = "lock: {servers: ['http://app:1/x']}\ntimestamp: {servers: ['http://app:2/x']}\n"
LEADER = "leader: {quorumSize: 1, leaders: ['http://app:3/x']}\n"
TIMELOCK = "timelock: {client: inventory, serversList: {servers: ['http://tl:1']}}\n"


def settings(block: str, **overrides: object) -> Settings:
    return load(None, {"inline_config": block + STORE, "backup_dir": Path("backup"), **overrides}, {})


async def nobody() -> None:
    """No client is connected."""


class Untouched:
    """A cluster that nothing may be asked of."""


def chosen(read: Settings, *, offline: bool = False) -> TimestampService:
    return service_for(read, cast(Cluster, Untouched()), nobody, offline=offline)


@pytest.mark.parametrize(("block", "address"), [(REMOTE, "http://app:2/x"), (LEADER, "http://app:3/x")])
def test_a_running_service_is_asked_itself_and_its_bound_only_when_it_is_down(block: str, address: str) -> None:
    live = chosen(settings(block))
    assert isinstance(live, RemoteTimestamps)
    assert address in live.description
    assert isinstance(chosen(settings(block), offline=True), EmbeddedTimestamps)


def test_an_embedded_service_is_its_stored_bound_unless_an_address_is_given() -> None:
    assert isinstance(chosen(settings("")), EmbeddedTimestamps)
    named = settings("", **{"timestamps.servers": ["http://app:4/api/"]})
    live = chosen(named)
    assert isinstance(live, RemoteTimestamps)
    assert "http://app:4/api" in live.description
    assert isinstance(chosen(named, offline=True), EmbeddedTimestamps)


@pytest.mark.parametrize("offline", [False, True])
def test_timelock_is_refused_and_its_dead_bound_is_left_alone(offline: bool) -> None:
    for read in (settings(TIMELOCK), settings(TIMELOCK, **{"timestamps.servers": ["http://app:4"]})):
        with pytest.raises(TimestampServiceRefused, match=r"Nothing was changed.*come from TimeLock"):
            chosen(read, offline=offline)
