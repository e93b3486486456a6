"""Which timestamp service is asked, by the service's configuration, live and offline."""

import sys
from pathlib import Path
from typing import cast

import pytest

from atlasdb_recovery.atlas.yaml_document import ConfigurationError
from atlasdb_recovery.cassandra.ports import Cluster
from atlasdb_recovery.settings import Settings, load
from atlasdb_recovery.timestamps.atlas_cli import AtlasCliTimestamps
from atlasdb_recovery.timestamps.authority import service_for
from atlasdb_recovery.timestamps.bound_store import EmbeddedTimestamps
from atlasdb_recovery.timestamps.remote import RemoteTimestamps
from atlasdb_recovery.timestamps.service import TimestampService, TimestampServiceRefused
from atlasdb_recovery.timestamps.timelock import TimeLockTimestamps

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
def test_timelock_is_asked_live_and_offline(offline: bool) -> None:
    chosen_one = chosen(settings(TIMELOCK), offline=offline)
    assert isinstance(chosen_one, TimeLockTimestamps)
    assert (chosen_one.namespace, chosen_one.uses_stored_bound) == ("inventory", False)
    assert "http://tl:1" in chosen_one.description


@pytest.mark.parametrize("offline", [False, True])
def test_timelock_beside_a_service_s_own_endpoint_is_a_contradiction(offline: bool) -> None:
    both = settings(TIMELOCK, **{"timestamps.servers": ["http://app:4"]})
    with pytest.raises(TimestampServiceRefused, match=r"Nothing was asked.*Only one of them can be the authority"):
        chosen(both, offline=offline)


def test_timelock_without_servers() -> None:
    with pytest.raises(TimestampServiceRefused, match="no file names its servers"):
        chosen(settings("timelock: {client: inventory}\n"))


def test_a_java_key_store_gets_its_lines(tmp_path: Path) -> None:
    store = tmp_path / "trust.jks"
    store.write_bytes(b"\xfe\xed\xfe\xed")
    servers = f"servers: ['https://tl:1'], sslConfiguration: {{trustStorePath: {store}}}"
    with pytest.raises(ConfigurationError) as caught:
        chosen(settings(f"timelock: {{client: inventory, serversList: {{{servers}}}}}\n"))
    for line in (
        f"keytool -importkeystore -srckeystore {store} -srcstoretype JKS -destkeystore {tmp_path}/trust.p12",
        f"openssl pkcs12 -in {tmp_path}/trust.p12 -nokeys -out {tmp_path}/trust.pem",
        f"timestamps:\n    tls: {{ca: {tmp_path}/trust.pem}}",
    ):
        assert line in str(caught.value)


def test_a_word_about_another_namespace_is_refused() -> None:
    assert settings(TIMELOCK, **{"timestamps.namespace": "inventory"}).timelock_namespace == "inventory"
    for block in (TIMELOCK, ""):
        with pytest.raises(ConfigurationError, match="is not the namespace that the service's configuration has"):
            settings(block, **{"timestamps.namespace": "orders"})


def with_command(tmp_path: Path, block: str, **more: object) -> Settings:
    install = tmp_path / "install.yml"
    install.write_text("atlasdb:\n" + "".join(f"  {line}\n" for line in (block + STORE).splitlines()))
    values = {"config": str(install), "backup_dir": Path("backup"), "timestamps.command": sys.executable, **more}
    return load(None, values, {})


def test_the_java_command_line_reads_the_very_files_that_were_read_here(tmp_path: Path) -> None:
    runtime = tmp_path / "runtime.yml"
    runtime.write_text("atlas-runtime: {}\n")
    more = {"runtime_config": str(runtime), "runtime_config_root": "/atlas-runtime", "config_root": "/atlasdb"}
    read = with_command(tmp_path, "", **more).atlas_cli
    assert read is not None
    assert read.program == (sys.executable,)
    assert read.configuration == (
        "-c", str(tmp_path / "install.yml"), "--config-root", "/atlasdb",
        "--runtime-config", str(runtime), "--runtime-config-root", "/atlas-runtime",
    )  # fmt: skip


@pytest.mark.parametrize("offline", [False, True])
def test_the_java_command_line_has_the_authority_of_the_configuration(tmp_path: Path, offline: bool) -> None:
    embedded = chosen(with_command(tmp_path, ""), offline=offline)
    assert isinstance(embedded, AtlasCliTimestamps)
    assert (embedded.serves_live, embedded.uses_stored_bound) == (False, True)
    timelock = chosen(with_command(tmp_path, TIMELOCK, **{"timestamps.namespace": "inventory"}), offline=offline)
    assert isinstance(timelock, AtlasCliTimestamps)
    assert (timelock.serves_live, timelock.uses_stored_bound) == (True, False)
    with pytest.raises(TimestampServiceRefused, match=r"say so in recovery\.yml"):
        chosen(with_command(tmp_path, TIMELOCK), offline=offline)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"timestamps.command": "/none/atlasdb"}, "there is no program “/none/atlasdb” on this machine"),
        ({"timestamps.command": "ssh app-1 atlasdb"}, "through ssh it would read another machine's configuration"),
        ({"timestamps.command": "atlasdb -c other.yml"}, "-c is added when it is run"),
        ({"timestamps.command": "atlasdb --inline-config={}"}, "stands in braces"),
        ({"timestamps.command": "atlasdb --config=o.yml timestamp"}, "--config, timestamp is added when it is run"),
        ({"timestamps.command": ""}, "the command is empty"),
        ({"timestamps.servers": ["http://app:1"]}, "it is run instead of asking `servers`"),
    ],
)
def test_a_java_command_line_that_could_read_something_else(tmp_path: Path, more: dict[str, object], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said) as caught:
        with_command(tmp_path, "", **more)
    assert "timestamps.command" in str(caught.value)
    assert caught.value.remedy


def test_a_java_command_line_needs_a_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="it reads files, and the configuration is given inline"):
        settings("", **{"timestamps.command": sys.executable})
