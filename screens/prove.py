"""Proof and report: every claim of a restore with its evidence."""

from screens.ending import EndingScreen


class ProveScreen(EndingScreen):
    HELP = """Each step was proven when it ended; here all of it is looked at once more. The verdict stands first, then
    what speaks against it, what you do next, and every claim with its evidence. The service may be started only when
    every claim is proven."""
