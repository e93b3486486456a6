"""Files kept beside a session's journal: what an operator had before the eyes when something was decided."""

import os
from pathlib import Path


def keep(journal: Path, name: str, text: str) -> Path:
    """Write it beside this journal, for its owner alone; an earlier one of the same name stays. Raises OSError."""
    number, path = 1, journal.with_name(name)
    while path.exists():
        number += 1
        path = journal.with_name(f"{Path(name).stem}-{number}{Path(name).suffix}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return path
