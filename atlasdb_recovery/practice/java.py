"""The Java runtime for real practice nodes."""

import os
import re
import shutil
import subprocess
from pathlib import Path

from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable

WANTED = 17


class JavaMissing(RealPracticeUnavailable):
    """There is no Java 17 runtime. Says what to install."""


def java() -> str:
    """The java of JAVA_HOME, else of the path, if it is Java 17."""
    home = os.environ.get("JAVA_HOME")
    candidates = [str(Path(home) / "bin" / "java")] if home else []
    candidates += [found] if (found := shutil.which("java")) else []
    seen = []
    for candidate in candidates:
        version = _version(candidate)
        if version == WANTED:
            return candidate
        seen.append(f"{candidate} is {'not a working java' if version is None else f'Java {version}'}")
    raise JavaMissing(
        f"real practice nodes need a Java {WANTED} runtime ({'; '.join(seen) or 'no java was found'}). Install one "
        f"(Debian: apt install openjdk-{WANTED}-jre-headless) and put it on the path, or point JAVA_HOME at it. "
        "Without it: atlasdb-recovery practice, on the simulated cluster."
    )


def _version(candidate: str) -> int | None:
    try:
        output = subprocess.run([candidate, "-version"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(r'version "(?:1\.)?(\d+)', output.stderr)
    return int(found.group(1)) if found else None
