"""Which screen shows which step."""

from tui.bridge import Bridge
from tui.look import Look
from tui.step_screen import StepScreen


def screen_of(bridge: Bridge, look: Look, step: str, *, read_only: bool) -> StepScreen:
    """A new screen for this step: everything on it comes from the session's view."""
    from screens.back_up_store import BackUpStoreScreen
    from screens.clean_transactions import CleanTransactionsScreen
    from screens.fast_forward import FastForwardScreen
    from screens.fetch_timestamp import FetchTimestampScreen
    from screens.preflight import PreflightScreen
    from screens.prove import ProveScreen
    from screens.repair import RepairScreen
    from screens.restore_store import RestoreStoreScreen
    from screens.seal_backup import SealBackupScreen

    screens: dict[str, type[StepScreen]] = {
        "preflight": PreflightScreen,
        "fetch-backup-timestamp": FetchTimestampScreen,
        "back-up-store": BackUpStoreScreen,
        "fetch-fast-forward-timestamp": FetchTimestampScreen,
        "seal-backup": SealBackupScreen,
        "restore-store": RestoreStoreScreen,
        "repair": RepairScreen,
        "clean-transactions": CleanTransactionsScreen,
        "fast-forward": FastForwardScreen,
        "prove": ProveScreen,
    }
    return screens.get(step, StepScreen)(bridge, look, step, read_only=read_only)
