"""Back up the store: every node's copy, at whatever moment it is made."""

from tui.step_screen import StepScreen


class BackUpStoreScreen(StepScreen):
    HELP = """Between B and F every node's tables are copied. Each node's copy may be of another moment."""
