"""Repair commands told apart in one transcript: nodetool runs one for each keyspace, one after the other.

The server's notifications may overtake each other within a command, and its first ones, the "Starting" line among
them, may be lost (`RepairRunner.isInterestedIn`); they never cross into another command of the same nodetool.
"""

from collections.abc import Sequence

import msgspec

from atlasdb_recovery.cassandra.repair_options import range_count
from atlasdb_recovery.cassandra.repair_ranges import Range
from atlasdb_recovery.cassandra.repair_transcript import CommandFinished, SessionFinished, Sign, Started, Statement


class RepairCommand(msgspec.Struct):
    """What a transcript says of one command. `number` is None while no line has named it."""

    number: int | None = None
    starts: list[Started] = []
    sessions: dict[str, tuple[Range, ...]] = {}
    succeeded: bool = False
    finished: list[CommandFinished] = []
    is_empty_keyspace: bool = False

    @property
    def is_over(self) -> bool:
        return bool(self.finished)

    @property
    def ranges(self) -> list[Range]:
        """The ranges of all finished sessions, one that two sessions had twice."""
        return [span for ranges in self.sessions.values() for span in ranges]

    @property
    def announced_ranges(self) -> int | None:
        """How many ranges the server set out to repair, where the transcript has the line that says so."""
        return range_count(self.starts[0].options) if self.starts else None

    @property
    def lacks_ranges(self) -> bool:
        return len(self.ranges) < (self.announced_ranges or 0)

    def add(self, statement: Statement) -> None:
        match statement:
            case Started():
                self.number = statement.number
                self.starts.append(statement)
            case SessionFinished():
                known = self.sessions.get(statement.session_id, ())
                self.sessions[statement.session_id] = tuple(dict.fromkeys(known + statement.ranges))
            case CommandFinished():
                self.number = statement.number
                self.finished.append(statement)
            case Sign.SUCCESS:
                self.succeeded = True
            case Sign.EMPTY_KEYSPACE:
                self.is_empty_keyspace = True
            case _:
                pass


def commands_in(statements: Sequence[Statement]) -> list[RepairCommand]:
    """The commands of a transcript, in order. Lines of a single command may come in any order."""
    numbers = {s.number for s in statements if isinstance(s, Started | CommandFinished)}
    commands: list[RepairCommand] = []
    for statement in statements:
        if not commands or (len(numbers) > 1 and _opens_another(commands[-1], statement)):
            commands.append(RepairCommand())
        commands[-1].add(statement)
    return commands


def _opens_another(command: RepairCommand, statement: Statement) -> bool:
    match statement:
        case Started() | CommandFinished():
            return command.number not in {None, statement.number}
        case SessionFinished():
            return command.is_over and not command.lacks_ranges and statement.session_id not in command.sessions
        case Sign.EMPTY_KEYSPACE:
            return command.is_over and not command.is_empty_keyspace
        case _:
            return False
