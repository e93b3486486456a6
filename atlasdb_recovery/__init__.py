"""AtlasDB's Backup and Restore procedure on Cassandra: the engine."""

__version__ = "0.1.0"
