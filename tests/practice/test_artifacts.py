"""Cassandra's jars: only what was pinned, fetched once, whatever happened before."""

import hashlib
import re
import subprocess
import sys
from contextlib import suppress
from importlib.resources import files
from pathlib import Path

import pytest

from atlasdb_recovery.practice import artifacts
from atlasdb_recovery.practice.artifacts import VERSIONS, ArtifactsUnavailable, jars

JAR = b"the content of a jar"
NOBODY_LISTENS = "http://127.0.0.1:1"
FETCH = "from atlasdb_recovery.practice import artifacts; print(artifacts.jars('5.0', say=print))"


@pytest.fixture(autouse=True)
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the user's own Maven repository, in which there is one jar."""
    for name in ("HTTPS_PROXY", "HTTP_PROXY", "https_proxy", "http_proxy"):
        monkeypatch.setenv(name, NOBODY_LISTENS)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ATLASDB_RECOVERY_CACHE", str(tmp_path / "cache"))
    own = tmp_path / "home" / ".m2" / "repository" / "org" / "example" / "one" / "1.0"
    own.mkdir(parents=True)
    (own / "one-1.0.jar").write_bytes(JAR)


def pin(monkeypatch: pytest.MonkeyPatch, coordinates: str, content: bytes) -> None:
    pins = [(coordinates, hashlib.sha256(content).hexdigest())]
    monkeypatch.setattr(artifacts, "_pinned", lambda _: iter(pins))


@pytest.mark.parametrize("version", VERSIONS)
def test_every_pin_is_coordinates_and_a_sha_256(version: str) -> None:
    lines = (files("atlasdb_recovery.practice") / "jars" / f"{version}.txt").read_text().splitlines()
    assert len(lines) > 50
    assert all(re.fullmatch(r"[\w.-]+(:[\w.-]+){2,3} [0-9a-f]{64}", line) for line in lines)
    assert len({line.split()[0] for line in lines}) == len(lines)


def test_a_jar_of_the_own_maven_repository_is_used_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "org.example:one:1.0", JAR)
    said: list[str] = []
    directory = jars("5.0", say=said.append)
    assert directory == tmp_path / "cache" / "cassandra" / "5.0"
    assert (directory / "one-1.0.jar").read_bytes() == JAR
    (tmp_path / "home" / ".m2" / "repository" / "org" / "example" / "one" / "1.0" / "one-1.0.jar").unlink()
    assert jars("5.0", say=said.append) == directory
    assert len(said) == 1, "the second time nothing is fetched"


def test_what_an_interrupted_run_left_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "org.example:one:1.0", JAR)
    left = tmp_path / "cache" / "cassandra" / "5.0"
    left.mkdir(parents=True)
    (left / "one-1.0.jar").write_bytes(JAR[:5])
    (left / "old-0.9.jar").write_bytes(b"old")
    directory = jars("5.0")
    assert [path.name for path in directory.glob("*.jar")] == ["one-1.0.jar"]
    assert (directory / "one-1.0.jar").read_bytes() == JAR


def test_another_content_than_the_pinned_is_refused_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "org.example:one:1.0", b"what was pinned")
    for _ in range(2):
        with pytest.raises(ArtifactsUnavailable, match=r"one-1\.0\.jar is not the org\.example:one:1\.0 .*SHA-256"):
            jars("5.0")


def test_without_a_connection_it_says_what_is_missing_and_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "org.example:absent:1.0", JAR)
    with pytest.raises(ArtifactsUnavailable, match=r"(?s)org\.example:absent:1\.0 could not be fetched.*try again"):
        jars("5.0")


def test_a_second_process_waits_for_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pin(monkeypatch, "org.example:one:1.0", JAR)
    lock = tmp_path / "cache" / "cassandra" / "5.0.lock"
    second = None

    def begins(_: str) -> None:
        nonlocal second
        second = subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True)
        wait_until_open(second, lock)

    directory = jars("5.0", say=begins)
    assert second is not None
    output, _ = second.communicate(timeout=60)
    assert output == f"{directory}\n", "it found everything there, and fetched nothing"


def wait_until_open(process: subprocess.Popen[str], path: Path) -> None:
    """Until that process has opened this file: all that is left for it is to lock it."""
    while process.poll() is None:
        for link in Path(f"/proc/{process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # it was closed meanwhile
                if link.readlink() == path:
                    return
    raise AssertionError("the second process ended before the first was done")
