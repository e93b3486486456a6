"""CommandNodetool against real child processes: small Python programs in nodetool's place."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from pathlib import Path

import psutil
import pytest

from atlasdb_recovery.cassandra.command_template import CommandTemplateInvalid
from atlasdb_recovery.cassandra.nodetool import CommandNodetool
from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed
from atlasdb_recovery.cassandra.process import command_stream

Fake = Callable[[str], CommandNodetool]


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    """A nodetool whose program is the given Python source."""

    def make(source: str) -> CommandNodetool:
        program = tmp_path / "fake nodetool.py"
        program.write_text(source)
        return CommandNodetool(f"{sys.executable} '{program}' {{address}} {{jmx_port}}", grace=1.0)

    return make


async def collected(items: AsyncIterator[Line | Finished]) -> tuple[list[Line], Finished]:
    lines: list[Line] = []
    async for item in items:
        if isinstance(item, Finished):
            return lines, item
        lines.append(item)
    raise AssertionError("ended without Finished")


def texts(lines: list[Line], stream: str = "stdout") -> list[str]:
    return [line.text for line in lines if line.stream == stream]


def runs(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_arguments_arrive_whole_and_exit_code_comes_back(fake: Fake) -> None:
    nodetool = fake("import sys; print(sys.argv[1:]); print('oops', file=sys.stderr); sys.exit(3)")
    output = await nodetool.run("127.0.0.1", "snapshot", "-t", "a b; $(c) 'd'")
    assert output.exit_code == 3
    assert output.stdout == str(["127.0.0.1", "7199", "snapshot", "-t", "a b; $(c) 'd'"])
    assert output.stderr == "oops"


async def test_lines_come_as_they_are_printed(fake: Fake, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    nodetool = fake(f"print('first', flush=True); open({str(gate)!r}).read(); print('second')")
    stream = nodetool.stream("127.0.0.1", "repair")
    first = await anext(stream)
    assert isinstance(first, Line)
    assert first.text == "first"
    gate.write_text("go")
    lines, finished = await collected(stream)
    assert texts(lines) == ["second"]
    assert lines[0].at >= first.at > 0
    assert finished.exit_code == 0
    assert finished.seconds >= lines[0].at - 0.5


async def test_line_ends_long_lines_and_foreign_bytes(fake: Fake) -> None:
    nodetool = fake(
        "import sys; out = sys.stdout.buffer\n"
        "out.write(b'dos\\r\\n\\nx' + b'y' * 1_000_000 + b'\\n\\xff\\xfe\\x00garbage\\nk\\xc3\\xa4se\\rkept\\nlast')"
    )
    lines, _ = await collected(nodetool.stream("127.0.0.1"))
    assert texts(lines) == ["dos", "", "x" + "y" * 1_000_000, "\ufffd\ufffd\0garbage", "käse\rkept", "last"]


async def test_many_lines_on_both_streams_all_arrive_in_order(fake: Fake) -> None:
    nodetool = fake("import sys\nfor i in range(40_000): print(i); print(-i, file=sys.stderr)")
    stream = nodetool.stream("127.0.0.1")
    await anext(stream)
    lines, _ = await collected(stream)
    seen = {int(text) for text in texts(lines)} | {int(text) for text in texts(lines, "stderr")}
    assert len(seen | {0}) == 79_999
    numbers = [int(text) for text in texts(lines)]
    assert numbers == sorted(numbers)


async def test_closing_the_iterator_stops_child_and_grandchild(fake: Fake) -> None:
    nodetool = fake(
        "import subprocess, sys, time, os\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "print(os.getpid(), child.pid, flush=True); time.sleep(600)"
    )
    async with aclosing(nodetool.stream("127.0.0.1", "repair")) as stream:
        line = await anext(stream)
        assert isinstance(line, Line)
    for pid in map(int, line.text.split()):
        assert not runs(pid)


async def test_a_child_that_ignores_sigterm_is_killed(fake: Fake) -> None:
    nodetool = fake(
        "import os, signal, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN); print(os.getpid(), flush=True); time.sleep(600)"
    )
    stream = nodetool.stream("127.0.0.1")
    line = await anext(stream)
    assert isinstance(line, Line)
    await stream.aclose()
    assert not psutil.pid_exists(int(line.text))


async def test_cancelling_the_task_stops_the_child(fake: Fake) -> None:
    nodetool = fake("import os, time; print(os.getpid(), flush=True); time.sleep(600)")
    seen: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def follow() -> None:
        async for item in nodetool.stream("127.0.0.1"):
            assert isinstance(item, Line)
            seen.set_result(int(item.text))

    task = asyncio.create_task(follow())
    pid = await seen
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not runs(pid)


async def test_timeout_kills_and_says_what_was_run_and_seen(fake: Fake) -> None:
    nodetool = fake("import os, time; print('pid', os.getpid(), flush=True); time.sleep(600)")
    with pytest.raises(NodetoolFailed) as failure:
        await nodetool.run("127.0.0.1", "netstats", timeout=2.0)
    message = str(failure.value)
    assert "netstats" in message
    assert "2 seconds" in message
    pid = int(message.partition("pid ")[2].partition(".")[0])
    assert not psutil.pid_exists(pid)


async def test_a_background_process_holding_the_pipe_does_not_hold_us_and_is_stopped(fake: Fake) -> None:
    nodetool = fake(
        "import subprocess, sys\n"
        "print(subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)']).pid, flush=True)"
    )
    lines, finished = await asyncio.wait_for(collected(nodetool.stream("127.0.0.1")), 20)
    assert finished.exit_code == 0
    assert not runs(int(lines[0].text))


async def test_a_killed_child_reports_its_signal(fake: Fake) -> None:
    nodetool = fake("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert (await nodetool.run("127.0.0.1")).exit_code == -9


async def test_missing_and_unrunnable_programs(tmp_path: Path) -> None:
    with pytest.raises(NodetoolFailed, match=r"no command `/nowhere/nodetool`.*nodetool.command"):
        await CommandNodetool("/nowhere/nodetool").run("127.0.0.1", "status")
    plain_file = tmp_path / "nodetool"
    plain_file.write_text("")
    with pytest.raises(NodetoolFailed, match="could not be started"):
        await CommandNodetool(str(plain_file)).run("127.0.0.1", "status")
    with pytest.raises(NodetoolFailed, match="could not be started"):
        await CommandNodetool("nodetool").run("127.0.0.1", "nul\0byte")


def test_placeholders_and_overrides_by_node() -> None:
    nodetool = CommandNodetool(
        "nodetool -h {address} -p {jmx_port} --label '{{x}} {address}'",
        jmx_port=7100,
        nodes={
            "127.0.0.2": {"jmx_port": 7102},
            "127.0.0.3": {"command": "kubectl exec {pod} -- nodetool", "pod": "c 3"},
        },
    )
    assert nodetool.command("127.0.0.1", "status")[:5] == ("nodetool", "-h", "127.0.0.1", "-p", "7100")
    assert nodetool.command("127.0.0.1")[-1] == "{x} 127.0.0.1"
    assert nodetool.command("127.0.0.2")[4] == "7102"
    assert nodetool.command("127.0.0.3", "info") == ("kubectl", "exec", "c 3", "--", "nodetool", "info")


def test_arguments_behind_ssh_are_quoted_for_the_remote_shell() -> None:
    nodetool = CommandNodetool("/usr/bin/ssh -o BatchMode=yes {address} nodetool")
    assert nodetool.command("db1", "import", "--", "atlas", "t", "/a b/$x")[-1] == "'/a b/$x'"
    assert nodetool.command("db1", "repair", "-full")[-1] == "-full"


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("nodetool -h {host}", r"\{host\}, which has no value here.*\{address\}, \{jmx_port\}"),
        ("nodetool {address.__class__}", "no value here"),
        ("nodetool {address!r}", "no value here"),
        ("nodetool {", "brace"),
        ("nodetool 'x", "cannot be split"),
        ("  ", "empty"),
    ],
)
def test_wrong_templates_are_named(template: str, problem: str) -> None:
    with pytest.raises((CommandTemplateInvalid, NodetoolFailed), match=problem):
        CommandNodetool(template).command("127.0.0.1", "status")
    with pytest.raises(CommandTemplateInvalid, match=problem):
        CommandNodetool("nodetool", nodes={"127.0.0.1": {"command": template}})


def test_passwords_are_not_shown() -> None:
    nodetool = CommandNodetool("nodetool -u jmx -pw hunter2 -h {address} --opt=s3cret", secrets=frozenset({"s3cret"}))
    shown = " ".join(nodetool.command("127.0.0.1", "status"))
    assert "hunter2" not in shown
    assert "s3cret" not in shown
    assert "s3cret" not in repr(nodetool)


async def test_secrets_reach_the_command_but_not_the_message() -> None:
    nodetool = CommandNodetool("/nowhere/s3cret", secrets=frozenset({"s3cret"}))
    with pytest.raises(NodetoolFailed) as failure:
        await nodetool.run("127.0.0.1")
    assert "s3cret" not in str(failure.value)


async def test_the_environment_is_added() -> None:
    program = [sys.executable, "-c", "import os; print(os.environ['JMX_WORD'], 'PATH' in os.environ)"]
    lines, _ = await collected(command_stream(program, environment={"JMX_WORD": "x"}))
    assert texts(lines) == ["x True"]


async def test_standard_input_is_empty(fake: Fake) -> None:
    assert (await fake("import sys; print(repr(sys.stdin.read()))").run("127.0.0.1", timeout=20)).stdout == "''"
