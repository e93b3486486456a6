"""Preflight: every guard side by side, before anything is touched."""

from tui.server_screen import ServerScreen


class PreflightScreen(ServerScreen):
    HELP = """Everything that later steps need is tried now. What refuses stands on top, with what to do about it.
    Mend it in another window, then press r."""
