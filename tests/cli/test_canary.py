"""Passwords that must be nowhere: journal, reports, manifest, exports, screen, crash file, arguments of processes."""

import stat
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from atlasdb_recovery.cli.atlasdb import main as atlasdb_main
from atlasdb_recovery.cli.main import main as recovery_main
from atlasdb_recovery.practice.simulated.faults import CommandFault
from atlasdb_recovery.procedure.context import Context
from atlasdb_recovery.settings import Settings
from tests.cli.rehearsal import PASSWORD, Ended, Rehearsal, ended

CANARIES = {
    "service": PASSWORD,
    "CQL_PASSWORD": "canary-cql-from-the-environment",
    "KEY_PASSWORD": "canary-of-the-key-store",
    "API_TOKEN": "canary-token-in-a-command",
}
TOOL = """#!{python}
import os, pathlib, sys
print("using token", os.environ["API_TOKEN"], "and password", "{password}", flush=True)
print("a warning about", os.environ["CQL_PASSWORD"], file=sys.stderr, flush=True)
lines = [path.read_bytes() for path in pathlib.Path("/proc").glob("[0-9]*/cmdline")]
pathlib.Path("{seen}").write_bytes(b"\\n".join(lines))
sys.exit(int(os.environ.get("TOOL_FAILS", "0")))
"""


@pytest.fixture
def canaries(monkeypatch: pytest.MonkeyPatch) -> Mapping[str, str]:
    for name, value in CANARIES.items():
        monkeypatch.setenv(name, value)
    return CANARIES


def with_secrets(rehearsal: Rehearsal, **more: Any) -> Rehearsal:
    """Settings with a password wherever there can be one."""
    for name in ("ca.pem", "client.pem", "client.key"):
        (rehearsal.directory / name).touch()
    (rehearsal.directory / "jmx.password").write_text("canary-jmx")
    tls = {"ca": "ca.pem", "certificate": "client.pem", "key": "client.key", "key_password": "${KEY_PASSWORD}"}
    rehearsal.write_settings(
        cql={"username": "recovery", "password": "${CQL_PASSWORD}", "tls": tls},
        nodetool={"username": "jmx", "password_file": "jmx.password"},
        **more,
    )
    return rehearsal


def tool(rehearsal: Rehearsal) -> Path:
    """A store tool that says every secret aloud, and notes the arguments of all processes."""
    path = rehearsal.directory / "nodes" / "store-tool"
    path.parent.mkdir(exist_ok=True)
    path.write_text(TOOL.format(python=sys.executable, password=PASSWORD, seen=rehearsal.directory / "processes"))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def store_tool(rehearsal: Rehearsal) -> dict[str, str]:
    """Settings of the store with that tool; it is given a secret as an argument."""
    command = f"{tool(rehearsal)} --as ${{API_TOKEN}} {{backup_dir}}"
    return {"method": "command", "backup_command": command, "restore_command": "true"}


def assert_nowhere(rehearsal: Rehearsal, *told: Ended) -> None:
    """No canary in what was printed or in any file but those where the operator put them."""
    given = {"install.yml", "jmx.password", "processes"}
    texts = {f"output {number}": one.out + one.err for number, one in enumerate(told)}
    for name, content in rehearsal.files().items():
        if name not in given:
            texts[name] = content.decode("utf-8", "replace")
    leaks = [(name, canary) for name, text in texts.items() for canary in CANARIES.values() if canary in text]
    assert not leaks
    assert any(name.endswith("journal.jsonl") for name in texts)


def looked_at(rehearsal: Rehearsal) -> list[Ended]:
    commands = (["doctor"], ["doctor", "--json"], ["restore", "--plan"], ["backup", "--plan"], ["history"])
    reports = (["report", "--format", "md"], ["report", "--format", "html"])
    return [rehearsal.recovery(*command) for command in (*commands, *reports)]


@pytest.mark.usefixtures("canaries")
def test_a_backup_by_a_talkative_tool(alive: Rehearsal) -> None:
    with_secrets(alive, store=store_tool(alive))
    told = alive.unattended("backup", "--verbose")
    assert told.code == 0, told
    assert "using token *** and password ***" in told.out
    assert_nowhere(alive, told, *looked_at(alive))


def test_a_secret_that_has_to_be_quoted(alive: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("API_TOKEN", "canary-it's-a-token")
    alive.write_settings(store=store_tool(alive) | {"backup_command": 'true --as "${API_TOKEN}" {backup_dir}'})
    told = alive.unattended("backup", "--verbose")
    assert told.code == 0, told
    assert "'***'" in told.out
    for text in (told.out, told.err, *(content.decode("utf-8", "replace") for content in alive.files().values())):
        assert "s-a-token" not in text


@pytest.mark.usefixtures("canaries")
def test_a_backup_whose_tool_fails(alive: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOOL_FAILS", "7")
    with_secrets(alive, store=store_tool(alive))
    told = alive.unattended("backup")
    assert told.code == 4, told
    assert "***" in told.out
    assert_nowhere(alive, told, *looked_at(alive))
    arguments = (alive.directory / "processes").read_text()
    assert CANARIES["API_TOKEN"] in arguments, "the operator has put it there"
    assert not [canary for name, canary in CANARIES.items() if name != "API_TOKEN" and canary in arguments]


@pytest.mark.usefixtures("canaries")
def test_a_whole_restore_and_everything_that_can_be_asked_about_it(lost: Rehearsal) -> None:
    with_secrets(lost)
    before = looked_at(lost)
    told = lost.unattended("restore", "--verbose")
    assert told.code == 0, told
    inspected = lost.recovery("inspect", "timestamp")
    assert inspected.code == 0
    assert_nowhere(lost, told, inspected, *before, *looked_at(lost))


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize("verb", ["repair", "info", "status", "import"])
def test_nodes_that_print_passwords(lost: Rehearsal, verb: str) -> None:
    with_secrets(lost)
    said = (f"error: bad credentials {PASSWORD}", CANARIES["CQL_PASSWORD"])
    lost.simulated.faults.commands.append(CommandFault((verb,), exit_code=2, stdout=said, stderr=said))
    told = lost.unattended("restore", "--verbose")
    assert told.code in {3, 4}, told
    assert_nowhere(lost, told, *looked_at(lost))


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize("words", ["fetch", "-t 10 clean-transactions", "-t 50000000 fast-forward"])
def test_the_drop_in(alive: Rehearsal, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_secrets(alive)
    monkeypatch.chdir(alive.directory)
    told = alive.atlasdb(*f"--offline -c install.yml timestamp {words}".split())
    assert told.code == 0, told
    alive.simulated.connect_client(alive.nodes.addresses[0])
    refused = alive.atlasdb(*f"--offline -c install.yml timestamp {words}".split())
    assert refused.code == 3
    for one in (told, refused):
        assert not [canary for canary in CANARIES.values() if canary in one.out + one.err]


INSTALLS = {
    "unclosed quote": f'atlasdb:\n  keyValueService:\n    credentials: {{username: a, password: "{PASSWORD}}}\n',
    "a list": f"atlasdb:\n  namespace: a\n  keyValueService:\n    type: cassandra\n    credentials: [{PASSWORD}]\n",
    "a mapping": "atlasdb:\n  namespace: a\n  keyValueService: {type: cassandra, servers: ['a:1'], "
    f"credentials: {{username: a, password: {{{PASSWORD}: 1}}}}}}\n",
    "twice": f"atlasdb:\n  keyValueService:\n    credentials: {{password: {PASSWORD}, password: {PASSWORD}}}\n",
    "a tab": f"atlasdb:\n\tpassword: {PASSWORD}\n",
    "an alias": f"atlasdb: {{password: *{PASSWORD}}}\n",
}


@pytest.mark.parametrize("case", INSTALLS)
def test_files_with_a_mistake_beside_the_password(lost: Rehearsal, case: str) -> None:
    (lost.directory / "install.yml").write_text(INSTALLS[case])
    told = lost.unattended("restore")
    assert told.code == 2, told
    assert "install.yml:" in told.err
    if case != "an alias":
        assert PASSWORD not in told.out + told.err


@pytest.mark.usefixtures("canaries")
@pytest.mark.parametrize(
    "text",
    ["cql: {password: [${CQL_PASSWORD}]}", "cql: {port: '${CQL_PASSWORD}'}", "removal: ${CQL_PASSWORD}",
     "nodetool: {command: 'nodetool {${CQL_PASSWORD}}'}", "timestamps: {servers: ['${CQL_PASSWORD}']}",
     "cql: {tls: {ca: '${CQL_PASSWORD}'}}"],
)  # fmt: skip
def test_settings_with_a_password_in_the_wrong_place(lost: Rehearsal, text: str) -> None:
    lost.settings.write_text(f"config: install.yml\nbackup_dir: backup\n{text}\n")
    told = lost.unattended("restore")
    assert told.code == 2, told
    assert CANARIES["CQL_PASSWORD"] not in told.out + told.err


def test_a_defect_leaves_a_crash_file_without_values(lost: Rehearsal) -> None:
    @asynccontextmanager
    async def broken(
        settings: Settings, session: str, answers: Mapping[str, Any], *, offline: bool
    ) -> AsyncIterator[Context]:
        if settings.cql.password:
            raise RuntimeError(f"cannot log in with {settings.cql.password!s}")
        async with lost.graph(settings, session, answers, offline=offline) as context:
            yield context

    for main, words in (
        (recovery_main, ["restore", "--plain", "--settings", str(lost.settings)]),
        (atlasdb_main, ["--offline", "-c", str(lost.directory / "install.yml"), "timestamp", "fetch"]),
    ):
        told = ended(main, words, broken)
        assert told.code == 1
        assert "This is a defect of atlasdb-recovery: RuntimeError." in told.err
        path = Path(told.err.partition("What led to it is in ")[2].split()[0].rstrip("."))
        try:
            content = path.read_text()
            assert "RuntimeError" in content
            assert "test_canary.py" in content
            assert PASSWORD not in content + told.err + told.out
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        finally:
            path.unlink()


def test_the_key_of_an_inline_configuration_is_not_repeated(lost: Rehearsal) -> None:
    lost.write_settings()
    text = lost.settings.read_text().replace("config: install.yml\n", "")
    lost.settings.write_text(text)
    servers = ", ".join(f'"{address}:9160"' for address in lost.nodes.addresses)
    inline = (
        f"{{namespace: shop, keyValueService: {{type: cassandra, servers: [{servers}], replicationFactor: 3, "
        f"credentials: {{username: a, password: {PASSWORD}}}}}}}"
    )
    lost.answer()
    told = lost.unattended("restore", "--inline-config", inline)
    assert told.code == 5, told
    assert "--inline-config '…'" in told.out
    assert PASSWORD not in told.out
