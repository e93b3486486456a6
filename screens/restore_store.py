"""Restore the store: every node's copy comes back, each from its own moment."""

from tui.step_screen import StepScreen


class RestoreStoreScreen(StepScreen):
    HELP = """The tables come back under new ids, so that nothing left over from before can be replayed into them."""
