"""Remove the transactions committed after B: shown first, confirmed by hand."""

from tui.step_screen import StepScreen


class CleanTransactionsScreen(StepScreen):
    HELP = """Everything committed after B is exported, removed, read again and looked for again."""
