"""Settings while they are typed: every key's problem at once, as the file would say it; and what saving writes."""

from pathlib import Path

import pytest
import yaml

from atlasdb_recovery.cli.settings_draft import NOT_YET, SettingsDraft
from tests.test_settings import INSTALL

PORT = "Expected `int` <= 65535. Write a whole number from 1 to 65535."


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The settings' directory, which is not the working directory."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    (tmp_path / "install.yml").write_text(INSTALL)
    (tmp_path / "recovery.yml").write_text("config: install.yml\nbackup_dir: b\n")
    return tmp_path


def problems(place: Path, **typed: str) -> dict[str, str]:
    draft = SettingsDraft(place / "recovery.yml")
    return draft.problems(draft.values() | {key.replace("__", "."): value for key, value in typed.items()})


def test_paths_count_from_the_file_and_nothing_is_wrong(place: Path) -> None:
    assert problems(place) == {}


def test_every_key_that_is_wrong_is_told(place: Path) -> None:
    found = problems(
        place,
        config_root="../../nowhere",
        backup_dir="",
        cql__port="70000",
        cql__password="hunter2",
        nodetool__jmx_port="99999999us e",
        nodetool__command="nodetool {host}",
        store__method="command",
        removal="burn",
    )
    assert set(found) == {
        "config_root", "backup_dir", "cql.port", "cql.password", "nodetool.jmx_port", "nodetool.command",
        "store.backup_command", "store.restore_command", "removal",
    }  # fmt: skip
    assert found["cql.port"] == PORT
    assert found["config_root"].startswith("the root “../../nowhere” is no JSON Pointer. It begins with “/”")
    assert found["removal"] == "this is not one of its values. Use delete or abort."
    assert "hunter2" not in str(found)
    assert "command line" not in str(found)


def test_what_else_is_wrong_is_told_though_the_services_file_cannot_be_read(place: Path) -> None:
    found = problems(place, config="nowhere.yml", config_root="/atlasdb", cql__port="0", nodetool__command="")
    assert set(found) == {"config", "config_root", "cql.port"}
    assert "cannot be read" in found["config"]
    assert found["config_root"] == NOT_YET
    assert set(problems(place, config="", config_root="x", nodetool__command="a 'b")) == {
        "config",
        "config_root",
        "nodetool.command",
    }


def test_a_variable_that_is_not_set_and_a_root_that_is_not_there(place: Path) -> None:
    found = problems(place, cql__password="${NOT_THERE_AT_ALL}", config_root="/atlas")
    assert "NOT_THERE_AT_ALL is not set" in found["cql.password"]
    assert "there is no /atlas in this file" in found["config_root"]


def test_every_choice_can_be_completed_where_it_is_made(place: Path) -> None:
    assert set(problems(place, store__method="command", store__backup_command="tool {keyspace}")) == {
        "store.restore_command"
    }
    assert set(
        problems(place, store__method="command", store__backup_command="a 'b", store__restore_command="{x}")
    ) == {
        "store.backup_command",
        "store.restore_command",
    }
    assert set(problems(place, timestamps__command="a 'b", scan="some")) == {"timestamps.command", "scan"}
    assert set(problems(place, timestamps__namespace="billing")) == {"timestamps.namespace"}
    both = {"store__backup_command": "tool back-up {keyspace}", "store__restore_command": "tool restore {backup_dir}"}
    assert problems(place, store__method="command", scan="from-immutable-timestamp", **both) == {}


def test_what_belongs_to_no_line_is_told_too(place: Path) -> None:
    with (place / "recovery.yml").open("a") as file:
        file.write("repair: {ask_every: never}\n")
    found = problems(place, cql__port="1")
    assert set(found) == {""}
    assert "repair.ask_every" in found[""]


def test_what_a_flag_says_is_neither_asked_for_nor_lost_from_the_file(place: Path) -> None:
    draft = SettingsDraft(place / "recovery.yml", {"backup_dir": "elsewhere"})
    typed = {"config": "install.yml", "cql.port": "9043", "cql.username": ""}
    assert draft.problems(typed) == {}
    assert draft.settings(typed).backup_dir == Path.cwd() / "elsewhere"
    draft.save(typed)
    assert (place / "recovery.yml").read_text() == "config: install.yml\nbackup_dir: b\ncql:\n  port: 9043\n"
    assert (place / "recovery.yml.before").read_text() == "config: install.yml\nbackup_dir: b\n"


def test_what_only_looks_like_a_number_is_saved_as_it_was_typed(place: Path) -> None:
    SettingsDraft(place / "recovery.yml").save({"cql.username": "²", "cql.port": "9043"})
    assert yaml.safe_load((place / "recovery.yml").read_text())["cql"] == {"username": "²", "port": 9043}
