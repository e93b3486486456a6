"""`atlasdb` at a terminal: being offline is asked for, a far target is typed again, odd cells have to be seen."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.cli.terminal import CTRL_C, CTRL_D, Terminal

RUN = """
import sys
from pathlib import Path
from atlasdb_recovery.cli.ending import exit_code_of
from atlasdb_recovery.cli.atlasdb import main
from atlasdb_recovery.cli.interruption import heed_signals
from tests.cli.rehearsal import Rehearsal
directory = Path(sys.argv[1])
heed_signals()
alive = Rehearsal(directory).alive()
if "odd" in sys.argv[2]:
    alive.write_everywhere("_transactions", (b"\\xff\\xff\\xff", b"t", -1), b"\\x00")
before = alive.cluster_state()
code = exit_code_of(main, ["-c", str(directory / "install.yml"), *sys.argv[3:]], alive.graph)
print(f"[exit {code}] [{'same' if alive.cluster_state() == before else 'changed'}]")
"""
ASKED = "Is every instance of the service stopped? Type offline\n> "


def atlasdb(directory: Path, words: Sequence[str], *, odd: bool = False) -> Terminal:
    return Terminal([sys.executable, "-c", RUN, str(directory), "odd" if odd else "", *words])


@pytest.mark.parametrize("command", ["clean-transactions", "fast-forward"])
def test_the_word_offline_is_enough(tmp_path: Path, command: str) -> None:
    with atlasdb(tmp_path, ["timestamp", "-t", "2000000", command]) as terminal:
        terminal.until(ASKED)
        terminal.type("offline\n")
        terminal.until("[exit 0]")
        assert terminal.ended() == 0


@pytest.mark.parametrize("typed", ["yes\n", "\n", CTRL_D, CTRL_C], ids=["yes", "enter", "ctrl-d", "ctrl-c"])
def test_anything_else_changes_nothing(tmp_path: Path, typed: str) -> None:
    with atlasdb(tmp_path, ["timestamp", "-t", "5000000", "fast-forward"]) as terminal:
        terminal.until(ASKED)
        terminal.type(typed)
        told = terminal.until("[exit 5] [same]")
        assert "othing was changed" in told
        assert terminal.ended() == 0


@pytest.mark.parametrize(
    ("typed", "end"),
    [("2000000000000\n", "[exit 0] [changed]"), ("200000000000\n", "[exit 5] [same]"), (CTRL_C, "[exit 5] [same]")],
)
def test_a_far_target_is_typed_again(tmp_path: Path, typed: str, end: str) -> None:
    with atlasdb(tmp_path, ["--offline", "timestamp", "-t", "2000000000000", "fast-forward"]) as terminal:
        terminal.until("A fast-forward cannot be taken back.")
        terminal.until("Type the timestamp again\n> ")
        terminal.type(typed)
        terminal.until(end)
        assert terminal.ended() == 0


@pytest.mark.parametrize(("typed", "end"), [("yes\n", "[exit 0] [changed]"), ("\n", "[exit 5] [same]")])
def test_odd_cells_have_to_be_seen(tmp_path: Path, typed: str, end: str) -> None:
    with atlasdb(tmp_path, ["--offline", "timestamp", "-t", "10", "clean-transactions"], odd=True) as terminal:
        told = terminal.until("Type yes to go on with the others\n> ")
        assert "ffffff" in told
        terminal.type(typed)
        terminal.until(end)
        assert terminal.ended() == 0
