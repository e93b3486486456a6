"""`recovery.yml` and flags: what they come to mean, what is refused and where, and that no password is ever shown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery import settings_file
from atlasdb_recovery.atlas.config import ConfigurationError
from atlasdb_recovery.atlas.tls_files import TlsFiles
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.settings import Settings, load, state_dir_of

INSTALL = """\
atlasdb:
  namespace: inventory
  keyValueService:
    type: cassandra
    servers: ["cass-1:9160", "cass-2:9160", "cass-1:9161"]
    replicationFactor: 3
    credentials: {username: atlas, password: of-the-service}
"""
SMALLEST = "config: install.yml\nbackup_dir: backup\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory with the service's file in it, which is not the working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "install.yml").write_text(INSTALL)
    for name in ("ca.pem", "client.pem", "client.key"):
        (tmp_path / name).touch()
    return tmp_path


def loaded(
    place: Path, text: str, overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> Settings:
    (place / "recovery.yml").write_text(text)
    return load(place / "recovery.yml", overrides, environment or {})


def refusal(
    place: Path, text: str, overrides: Mapping[str, Any] | None = None, environment: Mapping[str, str] | None = None
) -> str:
    with pytest.raises(ConfigurationError) as caught:
        loaded(place, text, overrides, environment)
    assert caught.value.remedy
    return str(caught.value)


def test_the_example_is_a_whole_working_file(place: Path) -> None:
    read = loaded(place, settings_file.EXAMPLE, environment={"CQL_PASSWORD": "hush"})
    assert read.keyspace == "inventory"
    assert (read.config_path, read.config_root) == (place / "install.yml", "/atlasdb")
    assert read.backup_dir == Path("/backups/orders-2026-11-23")
    assert (read.cql.username, read.cql.password, read.cql.port) == ("recovery", "hush", 9042)
    pem = TlsFiles(ca=place / "ca.pem", certificate=place / "client.pem", key=place / "client.key")
    assert read.cql.tls == pem
    assert read.nodetool.nodes == {"127.0.0.2": {"jmx_port": "7102"}}
    assert (read.store.method, read.removal, read.repair.parallel) == ("external", "delete", False)


def test_the_examples_comments_are_right_too(place: Path) -> None:
    lines = (line for line in settings_file.EXAMPLE.splitlines() if "method:" not in line and "removal:" not in line)
    everything = "\n".join(line.replace("# ", "", 1) if line.lstrip().startswith("# ") else line for line in lines)
    read = loaded(place, everything.replace("runtime_config: ", "#"), environment={"CQL_PASSWORD": "hush"})
    assert read.cql.contact_points == ("cass-1", "cass-2")
    assert read.store.restore_command == "medusa restore-cluster --backup-name {session}"
    assert read.timestamp_servers == ("https://app-1:3828/orders/api",)
    assert read.export_dir == Path("/var/lib/atlasdb-recovery/exports")


def test_what_the_service_says_holds_where_recovery_yml_is_silent(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(place / "state"))
    read = loaded(place, SMALLEST)
    assert (read.cql.username, read.cql.password, read.cql.tls) == ("atlas", "of-the-service", None)
    assert read.cql.contact_points == ("cass-1", "cass-2")
    assert read.cql.port == 9042, "never the Thrift port"
    assert read.backup_dir == place / "backup"
    assert read.state_dir == place / "state" / "atlasdb-recovery"
    assert read.export_dir == read.state_dir / "exports"


def with_cql_hosts(place: Path, *ports: int) -> None:
    hosts = ", ".join(f"'c{number}:{port}'" for number, port in enumerate(ports))
    thrift = ", ".join(f"'c{number}:9160'" for number in range(len(ports)))
    servers = f"servers: {{type: cqlCapable, thriftHosts: [{thrift}], cqlHosts: [{hosts}]}}"
    lines = [f"    {servers}" if "servers" in line else line for line in INSTALL.splitlines()]
    (place / "install.yml").write_text("\n".join(lines))


def test_cql_hosts_bring_their_port_unless_recovery_yml_has_one(place: Path) -> None:
    with_cql_hosts(place, 9142, 9142)
    assert loaded(place, SMALLEST).cql.port == 9142
    assert loaded(place, SMALLEST).cql.contact_points == ("c0", "c1")
    assert loaded(place, SMALLEST + "cql: {port: 9043}").cql.port == 9043
    with_cql_hosts(place, 9142, 9143)
    assert "the service's cqlHosts use different ports" in refusal(place, SMALLEST)
    assert loaded(place, SMALLEST, {"cql.port": 9142}).cql.port == 9142


def test_flags_win_and_their_paths_count_from_the_working_directory(place: Path) -> None:
    text = SMALLEST + "cql: {port: 1}\nstore: {method: snapshot, data_directories: {a: data}}\n"
    overrides = {
        "cql.port": 9999,
        "backup_dir": "there",
        "removal": "abort",
        "repair.parallel": True,
        "store.method": "command",
        "store.backup_command": "b",
        "store.restore_command": "r",
        "export_dir": Path("exports"),
        "nodetool.nodes": {"127.0.0.2": {"jmx_port": 7102}},
        "config_root": None,
    }
    read = loaded(place, text, overrides)
    assert (read.cql.port, read.removal, read.repair.parallel, read.store.method) == (9999, "abort", True, "command")
    assert (read.backup_dir, read.export_dir) == (place / "work" / "there", place / "work" / "exports")
    assert read.store.data_directories == {"a": place / "data"}
    assert read.nodetool.nodes == {"127.0.0.2": {"jmx_port": "7102"}}


def test_flags_alone_are_enough(place: Path) -> None:
    read = load(None, {"config": place / "install.yml", "backup_dir": "b"}, {})
    assert (read.keyspace, read.backup_dir) == ("inventory", place / "work" / "b")


def test_inline_configuration() -> None:
    inline = INSTALL.partition("\n")[2]
    read = load(None, {"inline_config": inline, "backup_dir": "b"}, {})
    assert read.keyspace == "inventory"
    with pytest.raises(ConfigurationError, match="config is given as well"):
        load(None, {"inline_config": inline, "config": "x", "backup_dir": "b"}, {})


def test_runtime_configuration(place: Path) -> None:
    (place / "runtime.yml").write_text("r: {timelockRuntime: {serversList: {servers: ['https://t:1']}}}")
    read = loaded(place, SMALLEST + "runtime_config: runtime.yml\nruntime_config_root: /r\n")
    assert read.service.timestamp_authority == "timelock"


def test_an_encrypted_password_is_no_obstacle_once_cql_has_one(place: Path) -> None:
    (place / "install.yml").write_text(INSTALL.replace("of-the-service", '"${enc:QUVT}"'))
    assert "cql.password" in refusal(place, SMALLEST)
    assert loaded(place, SMALLEST, {"cql.username": "a", "cql.password": "b"}).cql.password == "b"


def test_environment_variables(place: Path) -> None:
    text = SMALLEST + 'cql: {port: "${PORT}", password: "x-${PW}-y"}\nstore: {restore_command: "echo $${HOME}"}\n'
    read = loaded(place, text, environment={"PORT": "9043", "PW": "${PORT}"})
    assert read.cql.port == 9043
    assert read.cql.password == "x-${PORT}-y", "what a variable holds is not expanded again"
    assert read.store.restore_command == "echo ${HOME}"
    said = refusal(place, text, environment={"PORT": "1"})
    assert "recovery.yml:3:34: cql.password: the environment variable PW is not set. Set it (export PW=…)" in said
    assert "names no environment variable" in refusal(place, SMALLEST + 'cql: {password: "${}"}')
    assert "names no environment variable" in refusal(place, SMALLEST + 'cql: {password: "${PW"}')
    assert "an encrypted value" in refusal(place, SMALLEST + 'cql: {password: "${enc:QQ}"}')


def test_host_names_are_verified_where_the_service_does_and_always_over_https(place: Path) -> None:
    text = SMALLEST + "cql: {tls: {ca: ca.pem, certificate: client.pem, key: client.key, key_password: pw}}\n"
    text += "timestamps: {tls: {ca: ca.pem}, servers: ['https://a:1']}\n"
    read = loaded(place, text)
    assert (read.cql.tls, read.timestamp_tls) == (
        TlsFiles(ca=place / "ca.pem", certificate=place / "client.pem", key=place / "client.key", password="pw"),
        TlsFiles(ca=place / "ca.pem", verify_host=True),
    )
    assert "pw" in read.secrets()
    (place / "install.yml").write_text(INSTALL + "    enableEndpointVerification: true\n")
    tls = loaded(place, text).cql.tls
    assert tls is not None
    assert tls.verify_host


def test_secrets_are_known_and_shown_nowhere(place: Path) -> None:
    command = "restore --token ${API_TOKEN} ${HOME} ${AWS_KEY} ${KEYSPACE}"
    text = SMALLEST + f"cql: {{password: hush}}\nstore: {{restore_command: '{command}'}}\n"
    variables = {"API_TOKEN": "tok-123", "HOME": "/home/op", "AWS_KEY": "k-9", "KEYSPACE": "orders"}
    read = loaded(place, text, environment=variables)
    assert read.secrets() == {"hush", "tok-123", "k-9", "of-the-service"}
    assert "hush" not in repr(read)
    shown = json.dumps(read.shown())
    assert "hush" not in shown
    assert "tok-123" not in shown
    assert "restore --token *** /home/op *** orders" in shown
    assert read.shown()["cql"]["password"] == "***"
    assert read.store.restore_command == "restore --token tok-123 /home/op k-9 orders"


def test_nodetool_credentials_are_a_file_never_an_argument(place: Path) -> None:
    text = SMALLEST + (
        "nodetool:\n  command: ssh {address} nodetool -p {jmx_port}\n  username: jmx\n  password_file: 'my {x}.pw'\n"
        "  nodes: {10.0.0.2: {command: 'nodetool2 {pod}', pod: p-2}}\n"
    )
    nodetool = loaded(place, text).nodetool
    runner = CommandNodetool(nodetool.template, jmx_port=nodetool.jmx_port, nodes=nodetool.node_overrides)
    credentials = ("-u", "jmx", "-pwf", str(place / "my {x}.pw"))
    assert runner.command("10.0.0.1") == ("ssh", "10.0.0.1", "nodetool", "-p", "7199", *credentials)
    assert runner.command("10.0.0.2", "status") == ("nodetool2", "p-2", *credentials, "status")
    plain = loaded(place, SMALLEST).nodetool
    assert plain.template == "nodetool -h {address} -p {jmx_port}"
    for command in ("nodetool -u x -pw y", "nodetool --password y", "nodetool --password=y"):
        assert "can be read by everyone on the machine" in refusal(place, f"{SMALLEST}nodetool: {{command: {command}}}")
        nodes = f"nodetool: {{nodes: {{a: {{command: '{command}'}}}}}}"
        assert "recovery.yml:3:33: nodetool.nodes.a.command" in refusal(place, SMALLEST + nodes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("cql: {prot: 1}", "recovery.yml:3:13: cql.prot: “prot” is no setting. Did you mean port?"),
        ("backupdir: x", "backupdir: “backupdir” is no setting. Did you mean backup_dir?"),
        ("zzz: x", "“zzz” is no setting. Known here are config, "),
        ("cql: {tls: {cert: x}}", "cql.tls.cert: “cert” is no setting. Did you mean certificate?"),
        ("cql: {port: ninety}", "recovery.yml:3:13: cql.port: Expected `int`, got `str`. Write a whole number from 1"),
        ("cql: {port: 0}", "cql.port: Expected `int` >= 1. Write a whole number from 1 to 65535."),
        ("cql: {port: 65536}", "cql.port: Expected `int` <= 65535. Write a whole number from 1 to 65535."),
        (
            "cql: {request_timeout: 0}",
            "request_timeout: Expected `float` > 0.0. Write a number above 0 and up to 86400.",
        ),
        ("cql: {contact_points: a}", "cql.contact_points: Expected `array`, got `str`. Write it as a list"),
        ("cql: 5", "recovery.yml:3:6: cql: Expected `object`, got `str`. Write it as indented"),
        ("cql: {password: {a: b}}", "cql.password: Expected `str | null`, got `object`"),
        ("removal: burn", "recovery.yml:3:10: removal: this is not one of its values. Use delete or abort."),
        ("store: {method: rsync}", "store.method: this is not one of its values. Use external or command or snapshot."),
        ("repair: {parallel: sometimes}", "repair.parallel: Expected `bool`"),
        ("store: {method: snapshot}", "data_directories is missing"),
        ("store: {method: command}", "store.method is command, but store.backup_command is missing"),
        (
            "store: {method: command, backup_command: x}",
            "store.method is command, but store.restore_command is missing",
        ),
        ("cql: {tls: {key: client.key}}", "cql.tls: key is given without certificate"),
        ("cql: {tls: {ca: absent.pem}}", "absent.pem: this TLS file is not there"),
        ("nodetool: {command: ''}", "nodetool.command: the command is empty"),
        ('nodetool: {command: "a \'b"}', "nodetool.command: this is no command: No closing quotation"),
        ("timestamps: {servers: ['app:1']}", "timestamps.servers: this is no address of a service"),
        ("export_dir: ''", "export_dir: this is no path"),
        ("config: x", "recovery.yml:3:1: the document has the key “config” twice (first on line 1)"),
        ("a: &x [*x]", "this is nested too deeply"),
        ("\tx: 1", "indent with spaces"),
    ],
)
def test_what_is_wrong_is_named_with_key_line_and_remedy(place: Path, text: str, said: str) -> None:
    assert said in refusal(place, f"{SMALLEST}{text}\n")


def test_what_is_missing_is_named(place: Path) -> None:
    assert "backup_dir is missing. Add `backup_dir:`" in refusal(place, "config: install.yml\n")
    assert "config is missing" in refusal(place, "backup_dir: b\n")
    assert "the document is a list, not a mapping" in refusal(place, "- a\n")
    with pytest.raises(ConfigurationError, match=r"none\.yml: the file cannot be read"):
        load(place / "none.yml")


@pytest.mark.parametrize(
    ("flags", "missing"),
    [
        ({}, "give --config and --backup-dir."),
        ({"config": "install.yml"}, "or give --backup-dir."),
        ({"backup_dir": "b"}, "or give --config."),
    ],
)
def test_without_a_file_it_says_so(place: Path, flags: dict[str, str], missing: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        load(None, flags)
    assert str(refused.value).startswith(
        f"no recovery.yml was found in this directory ({Path.cwd()}). Write one: README"
    )
    assert str(refused.value).endswith(missing)


def test_what_is_typed_stands_for_the_files_own_lines(place: Path) -> None:
    """Its variables are filled in, its paths count from the file, and an empty text takes a key out."""
    (place / "recovery.yml").write_text(SMALLEST + "cql: {username: bob, port: 7}\nnodetool:\n", "utf-8")
    typed = {
        "cql.password": "${SESAME}",
        "cql.username": "",
        "cql.port": "9043",
        "backup_dir": "b",
        "nodetool.jmx_port": "1",
    }
    read = load(place / "recovery.yml", {}, {"SESAME": "open"}, typed=typed)
    assert (read.cql.password, read.cql.port, read.backup_dir) == ("open", 9043, place / "b")
    assert read.cql.username != "bob"
    assert "open" in read.secrets()
    with pytest.raises(
        ConfigurationError, match=r"^cql\.port: Expected `int` <= 65535\. Write a whole number from 1"
    ) as e:
        load(place / "recovery.yml", {}, {}, typed={"cql.port": "70000"})
    assert e.value.key == "cql.port"


def test_wrong_flags_are_named_as_flags(place: Path) -> None:
    said = refusal(place, SMALLEST, {"cql.port": "many"})
    assert said.startswith("cql.port, given on the command line: Expected `int`")
    assert "cql.prot, given on the command line: “prot” is no setting" in refusal(place, SMALLEST, {"cql.prot": 1})
    assert "recovery.yml:3:6: cql: this is no mapping" in refusal(place, SMALLEST + "cql: 5\n", {"cql.port": 1})


def test_an_empty_block_is_an_absent_one(place: Path) -> None:
    assert loaded(place, SMALLEST + "cql:\nstore:\n").cql.port == 9042


@pytest.mark.parametrize(
    "line",
    [
        "config: ~nobody1/install.yml\nbackup_dir: b\n",
        "config: install.yml\nbackup_dir: ~nobody1/b\n",
        "config: install.yml\nbackup_dir: b\nstate_dir: ~nobody1/s\n",
        "config: install.yml\nbackup_dir: b\ncql: {tls: {ca: ~nobody1/ca.pem}}\n",
        'config: install.yml\nbackup_dir: b\nstore: {data_directories: {"127.0.0.1": ~nobody1/d}}\n',
    ],
)
def test_the_home_of_nobody_is_refused(place: Path, line: str) -> None:
    assert "~ names no user of this machine" in refusal(place, line)


def test_the_home_of_nobody_is_refused_among_the_flags_and_for_the_journals(place: Path) -> None:
    assert "~ names no user" in refusal(place, "config: install.yml\n", {"backup_dir": Path("~nobody1/b")})
    (place / "recovery.yml").write_text("state_dir: ~nobody1/s\n")
    with pytest.raises(ConfigurationError, match="~ names no user of this machine"):
        state_dir_of(place / "recovery.yml")


def test_a_password_with_a_wrong_variable_in_it_is_not_repeated(place: Path) -> None:
    said = refusal(place, SMALLEST + 'cql: {password: "pre${Hunter2 Secret"}\n')
    assert "names no environment variable" in said
    assert "Hunter2" not in said


@pytest.mark.parametrize("written", ["$HOME/state", "$${x}", "${PLACE}/state"])
def test_the_journals_are_looked_for_where_they_are_written(
    place: Path, written: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLACE", "there")
    used = loaded(place, f"{SMALLEST}state_dir: {written}\n", environment={"PLACE": "there"}).state_dir
    assert state_dir_of(place / "recovery.yml") == used
