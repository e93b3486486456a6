"""`atlasdb-recovery practice --real`: from three new nodes to the oracle's verdict, and nothing is left."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest


@pytest.mark.deep
@pytest.mark.real
@pytest.mark.parametrize("version", ["5.0", "2.2-palantir"])
async def test_a_practice_on_real_nodes_ends_right_and_leaves_nothing(tmp_path: Path, version: str) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "atlasdb_recovery.cli.main", "practice", "--real", "--version", version),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    output, _ = await child.communicate()
    assert child.returncode == 0, output.decode()
    assert b"ORACLE: right" in output, output.decode()
    assert list(tmp_path.iterdir()) == []
    assert not [p for p in psutil.process_iter(["cmdline"]) if str(tmp_path) in " ".join(p.info["cmdline"] or ())]
