"""nodetool of any node, through any command: local, `ssh {address} nodetool`, `kubectl exec …`."""

import asyncio
import shlex
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing

from atlasdb_recovery.cassandra.command_template import (
    CommandTemplateInvalid,
    command_words,
    template_words,
    through_ssh,
)
from atlasdb_recovery.cassandra.ports import Finished, Line, NodetoolFailed, Output
from atlasdb_recovery.cassandra.process import STOP_GRACE, CommandNotRunnable, command_stream
from atlasdb_recovery.foreign import masked, plain

PASSWORD_OPTIONS = frozenset({"-pw", "--password"})
LINES_IN_A_MESSAGE = 5


class CommandNodetool:
    """`Nodetool` by a command template.

    The template is split as a shell would split it and never passed through one. {address} and {jmx_port} are
    filled in, as is every other name that a node's entry in `nodes` gives; an entry's `command` replaces the
    template for that node. After `ssh`, arguments are quoted for the remote shell.
    `secrets` are replaced by *** wherever the command is shown. `environment` is added to this process's own.
    What is wrong with the template of a node in `nodes` raises `CommandTemplateInvalid` at once.
    Stopping it stops the command on this machine only: a repair goes on in the node, and so may a command behind ssh.
    """

    def __init__(
        self,
        template: str,
        *,
        jmx_port: int = 7199,
        nodes: Mapping[str, Mapping[str, str | int]] | None = None,
        secrets: frozenset[str] = frozenset(),
        environment: Mapping[str, str] | None = None,
        grace: float = STOP_GRACE,
    ) -> None:
        self._template = template
        self._jmx_port = jmx_port
        self._nodes = dict(nodes or {})
        self._secrets = secrets
        self._environment = dict(environment or {})
        self._grace = grace
        template_words(template)
        for address in self._nodes:
            self._filled_in(address)

    def __repr__(self) -> str:
        return f"CommandNodetool({template_words(self._template)[0]!r})"

    def command(self, address: str, *arguments: str) -> tuple[str, ...]:
        """The exact argument vector of `run` and `stream`, with *** for passwords. Raises `NodetoolFailed`."""
        words = [masked(word, self._secrets) for word in self._words(address, arguments)]
        for at, word in enumerate(words[:-1]):
            if word in PASSWORD_OPTIONS:
                words[at + 1] = "***"
        return tuple(words)

    async def run(self, address: str, *arguments: str, timeout: float = 60.0) -> Output:
        """Run it to its end. Any exit code is an Output; only not being able to run or a timeout raises."""
        lines: list[Line] = []
        exit_code = 0
        try:
            async with asyncio.timeout(timeout), aclosing(self._stream(address, arguments)) as stream:
                async for item in stream:
                    if isinstance(item, Finished):
                        exit_code = item.exit_code
                    else:
                        lines.append(item)
        except TimeoutError:
            raise NodetoolFailed(self._timed_out(address, arguments, timeout, lines)) from None
        return Output(command=self.command(address, *arguments), exit_code=exit_code, lines=tuple(lines))

    def stream(self, address: str, *arguments: str) -> AsyncGenerator[Line | Finished, None]:
        """Its lines as they arrive, then one Finished. Closing the iterator stops the child and waits for it."""
        return self._stream(address, arguments)

    async def _stream(self, address: str, arguments: tuple[str, ...]) -> AsyncGenerator[Line | Finished, None]:
        words = self._words(address, arguments)
        try:
            async with aclosing(command_stream(words, environment=self._environment, grace=self._grace)) as stream:
                async for item in stream:
                    yield item
        except CommandNotRunnable as error:
            raise NodetoolFailed(
                f"nodetool for {plain(address)} could not be run. {masked(str(error), self._secrets)} "
                "The settings' nodetool.command says how it is reached."
            ) from None

    def _words(self, address: str, arguments: Iterable[str]) -> tuple[str, ...]:
        try:
            words = self._filled_in(address)
        except CommandTemplateInvalid as error:
            raise NodetoolFailed(f"{error} Correct the settings' nodetool.command.") from None
        quoted = (shlex.quote(argument) for argument in arguments) if through_ssh(words) else arguments
        return (*words, *quoted)

    def _filled_in(self, address: str) -> tuple[str, ...]:
        node = self._nodes.get(address, {})
        template = str(node.get("command", self._template))
        values = {"address": address, "jmx_port": self._jmx_port, **node}
        values.pop("command", None)
        try:
            return command_words(template, values)
        except CommandTemplateInvalid as error:
            problem = masked(str(error), self._secrets)
            raise CommandTemplateInvalid(f"nodetool for {plain(address)}: {problem}") from None

    def _timed_out(self, address: str, arguments: tuple[str, ...], timeout: float, lines: list[Line]) -> str:
        shown = plain(shlex.join(self.command(address, *arguments)))
        last = [plain(masked(line.text, self._secrets), 300) for line in lines[-LINES_IN_A_MESSAGE:]]
        said = "Its last lines: " + " / ".join(last) if last else "It printed nothing"
        return (
            f"nodetool for {plain(address)} did not end within {timeout:g} seconds and was stopped: {shown}. {said}. "
            "What it asked of the node may still be going on there. "
            "See whether the node and its JMX port answer, then try again."
        )
