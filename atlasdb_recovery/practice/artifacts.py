"""Cassandra's own jars from Maven artifacts: exactly the versions and checksums listed in `jars/`, fetched once."""

import fcntl
import hashlib
import logging
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path

import jgo
import platformdirs
import stamina
from jgo.config import GlobalSettings
from jgo.maven import MavenContext

from atlasdb_recovery.foreign import plain
from atlasdb_recovery.practice.unavailable import RealPracticeUnavailable

VERSIONS = ("5.0", "2.2-palantir")
CACHE_VARIABLE = "ATLASDB_RECOVERY_CACHE"
COMPLETE = ".complete"
AT_ONCE = 8
ATTEMPTS = 3

logging.getLogger("stamina").addHandler(logging.NullHandler())


class ArtifactsUnavailable(RealPracticeUnavailable):
    """A jar could not be fetched, or is not the one that was pinned. Says which and what to do."""


def jars(version: str, *, say: Callable[[str], None] = lambda _: None) -> Path:
    """The directory with all jars of this version; fetched on first use. Safe beside other processes."""
    directory = _cache() / "cassandra" / version
    with _locked(directory):
        if (directory / COMPLETE).exists():
            return directory
        wanted = list(_pinned(version))
        say(f"fetching {len(wanted)} jars of Cassandra {version} (once; they are kept in {directory})")
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir(parents=True)
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda pin: _fetch(directory, *pin), wanted))
        (directory / COMPLETE).touch()
    return directory


def _cache() -> Path:
    named = os.environ.get(CACHE_VARIABLE)
    return Path(named) if named else platformdirs.user_cache_path("atlasdb-recovery")


def _pinned(version: str) -> Iterator[tuple[str, str]]:
    text = (files("atlasdb_recovery.practice") / "jars" / f"{version}.txt").read_text()
    for line in text.splitlines():
        coordinates, digest = line.split()
        yield coordinates, digest


def _fetch(directory: Path, coordinates: str, digest: str) -> None:
    """Into this directory, from the user's own Maven repository if it is there. jgo trusts whatever an interrupted
    download left behind, so each attempt downloads into a place of its own."""
    try:
        for attempt in stamina.retry_context(on=Exception, attempts=ATTEMPTS):  # jgo has no error class of its own
            with attempt, tempfile.TemporaryDirectory(dir=directory) as fresh:
                path = _resolved(coordinates, Path(fresh))
                content = path.read_bytes()
    except Exception as error:
        raise ArtifactsUnavailable(
            f"{coordinates} could not be fetched: {plain(str(error))}. A real practice cluster needs its jars once "
            "from a Maven repository: check this machine's connection to one, then try again."
        ) from error
    if hashlib.sha256(content).hexdigest() != digest:
        raise ArtifactsUnavailable(
            f"{path} is not the {coordinates} that was pinned: its SHA-256 differs, and nothing unknown is run. "
            "Remove that file if it is still there, then try again."
        )
    (directory / path.name).write_bytes(content)


def _resolved(coordinates: str, downloads: Path) -> Path:
    group, name, release, *classifier = coordinates.split(":")
    context = MavenContext(
        repo_cache=downloads,
        local_repos=[GlobalSettings.load().repo_cache],
        remote_repos={"central": jgo.MAVEN_CENTRAL_URL},
    )
    component = context.project(group, name).at_version(release)
    return Path(component.artifact(classifier[0] if classifier else "").resolve())


@contextmanager
def _locked(directory: Path) -> Iterator[None]:
    directory.parent.mkdir(parents=True, exist_ok=True)
    with (directory.parent / f"{directory.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
