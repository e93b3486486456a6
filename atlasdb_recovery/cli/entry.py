"""The console scripts: signals are heeded before anything heavy is loaded, and `main` is what they run."""

import gc
import sys
from typing import NoReturn

from atlasdb_recovery.cli.interruption import DONE, NOTHING_BEGUN, PARKED, heard, heed_signals, leave, struck

BEGIN_SOMETHING = {"backup", "restore"}


def recovery() -> NoReturn:
    """`atlasdb-recovery`."""
    if len(sys.argv) == 1:
        _open_wizard()
    begins = len(sys.argv) == 1 or sys.argv[1] in BEGIN_SOMETHING
    _enter("atlasdb_recovery.cli.main", DONE if begins else PARKED)


def atlasdb() -> NoReturn:
    """`atlasdb`: whoever runs the next of AtlasDB's lines after this one must not take its interruption for success."""
    _enter("atlasdb_recovery.cli.atlasdb", PARKED)


def _open_wizard() -> None:
    """Without arguments, at a terminal: its first picture does not wait for anything that it does not need.

    Nothing of what a start loads is garbage; the application lets collections begin once that picture is there.
    """
    gc.disable()
    from atlasdb_recovery.cli import wizard
    from tui.look import Look

    if wizard.is_possible():
        sys.exit(wizard.run_wizard(wizard.LiveWorkplace(None, None, {}), Look.chosen()))
    gc.enable()


def _enter(module: str, nothing_begun: int) -> NoReturn:
    try:
        heed_signals(NOTHING_BEGUN, nothing_begun)
        from importlib import import_module

        program = import_module(module)
    except BaseException as error:
        if (interrupted := struck(error)) is None:
            raise
        print(interrupted, file=sys.stderr)
        heard(interrupted)
        leave(interrupted.code)
    leave(program.run())
