"""A defect of this program never shows a traceback: values in it may be secrets."""

import tempfile
import traceback
from pathlib import Path


def crash_file(error: BaseException) -> Path:
    """Where the program was, without any values: neither messages nor locals."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"{frame.filename}:{frame.lineno} in {frame.name}\n    {frame.line}" for frame in frames]
    with tempfile.NamedTemporaryFile(
        "w", prefix="atlasdb-recovery-crash-", suffix=".txt", delete=False, encoding="utf-8"
    ) as file:
        file.write(f"{type(error).__module__}.{type(error).__qualname__}\n" + "\n".join(lines) + "\n")
    return Path(file.name)
