"""Repair the transactions tables on every node, live."""

from tui.step_screen import StepScreen


class RepairScreen(StepScreen):
    HELP = """Replicas were copied at different moments. Unless they agree first, a removed commit could come back."""
