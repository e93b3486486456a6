"""Fetch a fresh timestamp: B before the store is backed up, F after it."""

from tui.server_screen import ServerScreen


class FetchTimestampScreen(ServerScreen):
    HELP = """A fresh timestamp is asked for and written into a one-line file that AtlasDB's own tool reads too.
    Where servers hand it out, they are listed: who leads, who follows, who does not answer, and each failover."""
