"""Text that must never be shown: its repr is ***, wherever it is printed from."""


class Secret(str):
    """A password. Equal to the same plain text, and shown as *** by `repr`, also inside of records and containers."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "'***'" if self else "''"
