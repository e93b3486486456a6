"""Which Java runs real nodes."""

from pathlib import Path

import pytest

from atlasdb_recovery.practice.java import JavaMissing, java


def runtime(home: Path, version: str) -> Path:
    """A `java` that says it is of this version."""
    path = home / "bin" / "java"
    path.parent.mkdir(parents=True)
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    path.chmod(0o755)
    return path


def test_java_home_comes_before_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = runtime(tmp_path / "home", "17.0.15")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(runtime(tmp_path / "other", "17.0.1").parent))
    assert java() == str(wanted)


def test_a_java_home_of_another_version_gives_way_to_the_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime(tmp_path / "home", "21.0.2")
    wanted = runtime(tmp_path / "path", "17.0.1")
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PATH", str(wanted.parent))
    assert java() == str(wanted)


@pytest.mark.parametrize(("version", "said"), [("1.8.0_392", "Java 8"), ("21", "Java 21"), ("11.0.2", "Java 11")])
def test_another_version_is_named_with_what_to_install(
    version: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = runtime(tmp_path / "home", version)
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(found.parent))
    with pytest.raises(JavaMissing) as refused:
        java()
    assert f"{found} is {said}" in str(refused.value)
    assert "openjdk-17-jre-headless" in str(refused.value)
    assert "JAVA_HOME" in str(refused.value)


def test_no_java_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JavaMissing, match="no java was found"):
        java()


def test_a_java_home_that_does_not_exist(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "nowhere"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JavaMissing, match="is not a working java"):
        java()
