"""nodetool of real practice nodes: a script in the cluster's directory, and what a node sees through it."""

import shlex
import subprocess
from collections.abc import Sequence, Set
from contextlib import suppress
from pathlib import Path

from atlasdb_recovery.cassandra.node_reports.membership import read_status
from atlasdb_recovery.cassandra.node_reports.text import UnreadableReport
from atlasdb_recovery.practice.real_configuration import opens

LIGHT = ("-Xmx128M", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-XX:-UsePerfData")
QUIET = "-Xlog:disable"
"""Java's own warnings, such as that an archive does not fit, would stand in what nodetool prints."""
ANSWERS_WITHIN = 60.0


class NodetoolScript:
    """`<directory>/nodetool`, for all nodes. It keeps its history beside itself and not in the home directory.

    Every call is a Java of its own. `archive_classes` lets later ones start in two thirds of the time.
    """

    def __init__(self, directory: Path, java: str, jars: Path) -> None:
        self.path = directory / "nodetool"
        logging = directory / "nodetool-logback.xml"
        logging.write_text("<configuration><root level='OFF'/></configuration>")
        self._java = [java, *opens(), *LIGHT, QUIET]
        self._archive = directory / "nodetool.jsa"
        self._tool = [f"-Duser.home={directory}", f"-Dlogback.configurationFile={logging}"]
        self._tool += ["-cp", f"{jars}/*", "org.apache.cassandra.tools.NodeTool"]
        words = [*self._java, f"-XX:SharedArchiveFile={self._archive}", *self._tool]
        self.path.write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        self.path.chmod(0o755)

    @property
    def template(self) -> str:
        """As `nodetool.command` of the settings takes it."""
        path = shlex.quote(str(self.path)).replace("{", "{{").replace("}", "}}")
        return f"{path} -h 127.0.0.1 -p {{jmx_port}}"

    def archive_classes(self, jmx_port: int) -> None:
        """Those that a call to this node needs. Without the archive, calls only take longer."""
        words = [*self._java, f"-XX:ArchiveClassesAtExit={self._archive}", *self._tool]
        with suppress(subprocess.TimeoutExpired):
            _status(words, jmx_port)

    def seen_up(self, jmx_port: int) -> Set[str]:
        """The addresses that this node sees up and normal; none if it does not answer."""
        try:
            rows = read_status(_status([str(self.path)], jmx_port)).rows
        except (UnreadableReport, subprocess.TimeoutExpired):
            return set()
        return {row.address for row in rows if row.up and row.state.upper().startswith("N")}


def _status(nodetool: Sequence[str], jmx_port: int) -> str:
    """What `nodetool status` of this node prints. Raises TimeoutExpired."""
    command = [*nodetool, "-h", "127.0.0.1", "-p", str(jmx_port), "status"]
    return subprocess.run(command, capture_output=True, text=True, timeout=ANSWERS_WITHIN, check=False).stdout
