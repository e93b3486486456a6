"""`python -m tests.cli.program DIRECTORY COMMAND… [then COMMAND…]`: commands of the program, one after the other.

They run in one process on one simulated cluster whose keyspace is lost, so that a later one can go on where an earlier
one was stopped. `[exit N]` is printed after each, and what the oracle says after a success at the end.
"""

import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from atlasdb_recovery.cli.ending import every_character, exit_code_of
from atlasdb_recovery.cli.interruption import DONE, NOTHING_BEGUN, heed_signals
from atlasdb_recovery.cli.main import main as recovery
from tests.cli.rehearsal import Rehearsal


def commands(words: Sequence[str]) -> list[list[str]]:
    """The words between one `then` and the next."""
    found: list[list[str]] = [[]]
    for word in words:
        if word == "then":
            found.append([])
        else:
            found[-1].append(word)
    return found


def run(directory: Path, words: Sequence[str]) -> None:
    heed_signals(NOTHING_BEGUN, DONE)
    every_character()
    rehearsal = Rehearsal(directory).lose()
    code = 0
    for command, *arguments in commands(words):
        code = exit_code_of(
            recovery, [command, "--settings", str(rehearsal.settings), "--plain", *arguments], rehearsal.graph
        )
        say(f"[exit {code}]")
        (directory / "exit").write_text(str(code))
    if code == 0:
        say(f"[oracle: {rehearsal.oracle_says()}]")


def say(line: str) -> None:
    """There may be nobody to hear it any more."""
    with suppress(OSError):
        print(line, flush=True)


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2:])
