"""Back up the store: every node's copy, at whatever moment it is made."""

from tui.server_screen import ServerScreen


class BackUpStoreScreen(ServerScreen):
    HELP = """Between B and F every node's tables are copied. Each node's copy may be of another moment. With TimeLock
    the lock on the immutable timestamp is kept meanwhile: a failover loses it, and the backup is begun anew."""
    talks_to_servers = False
