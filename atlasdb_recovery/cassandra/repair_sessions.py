"""Whether the sessions in a transcript can be those of its commands, by their time UUIDs.

A coordinator makes the ids of a command and of its sessions itself, in this order, and one server process has one
clock sequence and node in all of its time UUIDs (`TimeUUID`, `UUIDGen`).
"""

from collections.abc import Sequence
from uuid import UUID

from atlasdb_recovery.cassandra.repair_commands import RepairCommand


def session_problems(commands: Sequence[RepairCommand]) -> list[str]:
    """What shows that lines of several repairs are mixed: ids of two coordinators, or sessions older than commands."""
    problems = []
    if len({_process(each) for command in commands for each in _ids(command)}) > 1:
        problems.append("the transcript has lines of repairs that different server processes coordinated")
    if any(_is_older(session, command) for command in commands for session in command.sessions):
        problems.append("the transcript has a session that is older than its repair command")
    return problems


def _ids(command: RepairCommand) -> list[str]:
    return [*command.sessions, *(start.parent_id for start in command.starts if start.parent_id)]


def _process(time_uuid: str) -> str:
    return time_uuid[19:]


def _is_older(session_id: str, command: RepairCommand) -> bool:
    parents = [start.parent_id for start in command.starts if start.parent_id]
    return any(UUID(session_id).time < UUID(parent).time for parent in parents)
