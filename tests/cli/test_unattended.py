"""Whole runs by an answers file, and where they stop: exit codes, words, and the line that goes on."""

import shlex
from pathlib import Path

import pytest

from atlasdb_recovery.atlas import manifest, timestamp_file
from atlasdb_recovery.practice.simulated import Dialect
from atlasdb_recovery.practice.simulated.faults import RepairFault
from tests.cli.rehearsal import ANSWERS, Ended, Rehearsal

ODD = (b"\xff\xff\xff", b"t", -1)
"""A position whose key is no timestamp."""


@pytest.mark.parametrize("words", ["no, not yet", "will be done soon", False])
def test_an_answer_that_does_not_say_yes_parks(alive: Rehearsal, words: object) -> None:
    alive.write_settings(store={"method": "external"})
    alive.answer(offline=True, **{"store-backed-up": words})
    ended = alive.unattended("backup")
    assert ended.code == 5, ended
    assert "store-backed-up: true" in ended.out + ended.err or words is False
    assert manifest.load(alive.backup_dir) is None


def resume_line(ended: Ended) -> list[str]:
    """The words of the line that the program printed to go on with."""
    (line,) = [line for line in ended.out.splitlines() if "go on with: " in line]
    words = shlex.split(line.partition("go on with: ")[2])
    assert words[:2] == ["atlasdb-recovery", "resume"]
    return words[2:]


def resumed(rehearsal: Rehearsal, ended: Ended) -> Ended:
    session, settings_flag, settings, *rest = resume_line(ended)
    assert (settings_flag, settings) == ("--settings", str(rehearsal.settings))
    return rehearsal.recovery("resume", session, *rest)


@pytest.mark.parametrize("dialect", [Dialect.APACHE, Dialect.PALANTIR], ids=str)
def test_one_line_is_the_whole_restore(tmp_path: Path, dialect: Dialect) -> None:
    lost = Rehearsal(tmp_path, dialect).lose()
    ended = lost.unattended("restore")
    assert ended.code == 0, ended
    assert "Restore complete: keyspace shop" in ended.out
    assert ended.err == ""
    assert "\x1b" not in ended.out
    assert lost.oracle_says() == "right"


def test_every_step_has_a_heading_and_its_proof_and_nothing_is_said_twice(lost: Rehearsal) -> None:
    lines = [line.partition("Z  ")[2] for line in lost.unattended("restore").out.splitlines()]
    steps = ("preflight", "restore-store", "repair", "clean-transactions", "fast-forward", "prove")
    for number, step in enumerate(steps, 1):
        assert [line for line in lines if line.startswith(f"[{number}/6] {step}: ")]
        assert [line for line in lines if line.startswith(f"{step}: proven: ")]
    proofs = lines[lines.index("every claim is proven:") + 1 :]
    told = [line for line in lines if line.strip() and line not in proofs and ": runs nodetool" not in line]
    twice = {line for line in told if told.count(line) > 1}
    assert not twice
    assert len(proofs) == len(set(proofs))


def test_a_backup_is_sealed_and_can_be_restored(alive: Rehearsal) -> None:
    alive.answer()
    ended = alive.unattended("backup")
    assert ended.code == 0, ended
    assert "Backup complete: keyspace shop" in ended.out
    sealed = manifest.load(alive.backup_dir)
    assert sealed is not None
    for name, value in (("backup", sealed.backup_timestamp), ("fast-forward", sealed.fast_forward_timestamp)):
        assert timestamp_file.read(alive.backup_dir / f"{name}.timestamp") == value


@pytest.mark.parametrize("missing", ["offline", "clean-transactions"])
def test_a_missing_answer_parks_names_itself_and_goes_on(lost: Rehearsal, missing: str) -> None:
    answers = {"offline": True, "clean-transactions": {"remove_at_most": 5000}}
    del answers[missing]
    lost.answer(**answers)
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert f"QUESTION {missing}: " in ended.out
    assert "NOT complete (parked); unproven: " in ended.out
    (told,) = [line for line in ended.out.splitlines() if "in an answers file:  " in line]
    wanted = told.partition("in an answers file:  ")[2]
    path = lost.directory / "answers.yml"
    path.write_text(path.read_text().replace("{}", "") + wanted + "\n")
    again = resumed(lost, ended)
    assert again.code == 0, again
    assert lost.oracle_says() == "right"
    assert len(lost.sessions()) == 1


def test_too_few_removals_allowed_parks_with_nothing_removed(lost: Rehearsal) -> None:
    lost.answer(offline=True, clean_transactions={"remove_at_most": 1})
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert (
        "removals are needed, but the answers file allows 1; it would be:  clean-transactions: {remove_at_most: "
        in (ended.out)
    )
    assert not list((lost.directory / "exports").glob("*"))
    lost.answer(offline=True, clean_transactions={"remove_at_most": 1000})
    assert resumed(lost, ended).code == 0
    assert lost.oracle_says() == "right"


@pytest.mark.parametrize("answers", [{"offline": False}, {"offline": True, "clean_transactions": False}])
def test_an_answer_that_says_no_parks(lost: Rehearsal, answers: dict[str, object]) -> None:
    lost.answer(**answers)
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert "the answers file says no to " in ended.out
    assert resume_line(ended)


def test_what_atlasdb_would_not_have_written_has_its_own_answer(lost: Rehearsal) -> None:
    lost.simulated.faults.before("scan", lambda: lost.write_everywhere("_transactions", ODD, b"\x00"))
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert "QUESTION odd-cells: 1 cells are not what AtlasDB would have written" in ended.out
    assert ODD[0].hex() in ended.out
    assert 'in an answers file:  odd-cells: "leave 1 odd cells as they are"' in ended.out
    lost.answer(**ANSWERS, odd_cells=True)
    ended = resumed(lost, ended)
    assert ended.code == 5, ended
    assert "“odd-cells” is not what is asked for" in ended.out
    lost.answer(**ANSWERS, odd_cells="leave 1 odd cells as they are")
    assert resumed(lost, ended).code == 0
    assert {store[ODD][3] for store in lost.stores_of("_transactions")} == {b"\x00"}


def test_a_far_fast_forward_has_its_own_answer(lost: Rehearsal) -> None:
    far = 2 * 10**12
    (lost.backup_dir / manifest.MANIFEST_NAME).unlink()
    timestamp_file.write(lost.backup_dir / "fast-forward.timestamp", far)
    ended = lost.unattended("restore")
    assert ended.code == 5, ended
    assert f'in an answers file:  far-fast-forward: "fast-forward shop to {far}"' in ended.out
    lost.answer(
        offline=True, clean_transactions={"remove_at_most": 1000}, far_fast_forward=f"fast-forward shop to {far}"
    )
    again = resumed(lost, ended)
    assert again.code == 0, again
    assert f"every fresh timestamp will be above F = {far}" in again.out


def test_a_refusal_ends_with_3_and_goes_on_once_it_is_mended(lost: Rehearsal) -> None:
    lost.simulated.stop_node(lost.nodes.addresses[1])
    ended = lost.unattended("restore")
    assert ended.code == 3, ended
    assert "REFUSED" in ended.out
    assert "EveryNodeUp" in ended.out
    assert "nothing was changed by this step" in ended.out
    lost.simulated.start_node(lost.nodes.addresses[1])
    assert resumed(lost, ended).code == 0
    assert lost.oracle_says() == "right"


def test_a_step_that_fails_ends_with_4_its_evidence_and_the_line_that_goes_on(lost: Rehearsal) -> None:
    lost.simulated.faults.in_next_repair(lost.nodes.addresses[2], RepairFault(failed_session=0))
    ended = lost.unattended("restore")
    assert ended.code == 4, ended
    assert f"repair: FAILED: the repair is not proven on {lost.nodes.addresses[2]}" in ended.out
    again = resumed(lost, ended)
    assert again.code == 0, again
    assert again.out.count(": runs nodetool") == 1, "nodes already repaired are not repaired again"
    assert lost.oracle_says() == "right"


def test_the_line_that_goes_on_repeats_what_was_given(lost: Rehearsal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(lost.directory)
    lost.answer()
    ended = lost.recovery("restore", "--plain", "--answers", "answers.yml", "--removal", "abort", "--repair-parallel")
    assert ended.code == 5
    session, *words = resume_line(ended)
    assert session in lost.sessions()
    assert words == [
        "--settings",
        str(lost.settings),
        "--plain",
        "--answers",
        str(lost.directory / "answers.yml"),
        "--removal",
        "abort",
        "--repair-parallel",
    ]


def test_an_answers_file_with_a_mistake_is_refused_by_line(lost: Rehearsal) -> None:
    (lost.directory / "answers.yml").write_text("offline: true\nclean-transactions: {remove: 5}\n")
    ended = lost.unattended("restore")
    assert ended.code == 2
    assert f"{lost.directory / 'answers.yml'}:2:" in ended.err
    assert lost.sessions() == []
