"""A TimeLock of one node or three, that answers as the real server (release 0.900.0) was seen to answer."""
