"""Why there can be no real practice cluster."""


class RealPracticeUnavailable(Exception):
    """Something that real nodes need is not there. Says what, why it is needed and what to do; nothing was changed."""
