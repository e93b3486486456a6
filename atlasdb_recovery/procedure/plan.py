"""What a step is about to do, and a fingerprint of everything that depends on."""

import hashlib
from typing import Any

import msgspec


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The exact commands, CQL or rows a step will run, as lines an operator can read and copy.

    `depends_on` holds every value the plan was made of; the fingerprint changes as soon as one of them does, and
    a confirmation given for another fingerprint is void.
    """

    title: str
    lines: tuple[str, ...] = ()
    depends_on: dict[str, Any] = {}
    facts: dict[str, Any] = {}
    """Numbers and samples a front-end shows beside the plan: counts, histogram, paths."""
    establishes: dict[str, Any] = {}
    """Facts that the step will hand on and that are known already: a look ahead counts with them."""

    @property
    def fingerprint(self) -> str:
        content = msgspec.json.encode([self.title, self.lines, self.depends_on], order="deterministic")
        return hashlib.sha256(content).hexdigest()[:16]
