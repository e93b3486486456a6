"""The answers file of an unattended run."""

from pathlib import Path

import pytest

from atlasdb_recovery.atlas.config import ConfigurationError
from atlasdb_recovery.procedure import answers


def loaded(directory: Path, text: str) -> answers.Answers:
    (directory / "answers.yml").write_text(text)
    return answers.load(directory / "answers.yml")


def test_the_answers_of_a_restore(tmp_path: Path) -> None:
    read = loaded(tmp_path, "offline: true\nstore-restored: true\nclean-transactions: {remove_at_most: 5000}\n")
    assert dict(read) == {"offline": True, "store-restored": True, "clean-transactions": {"remove_at_most": 5000}}
    assert read.remove_at_most("clean-transactions") == 5000
    assert read.remove_at_most("offline") is None
    assert read.remove_at_most("absent") is None
    assert read.get("absent") is None


def test_named_answers_of_every_type(tmp_path: Path) -> None:
    read = loaded(tmp_path, 'a: false\nb: 7\nc: "true"\nd: taken over from Kim\n')
    assert dict(read) == {"a": False, "b": 7, "c": "true", "d": "taken over from Kim"}
    assert read["a"] is False


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("offline: [true]", "answers.yml:1:10: /offline is a list, which answers no question"),
        ("offline:", "/offline is empty, which answers no question"),
        ("clean: {remove_atmost: 5}", "/clean holds remove_atmost, where only remove_at_most is known"),
        ("clean: {}", "/clean holds nothing"),
        ("clean: {remove_at_most: 5, x: 1}", "/clean holds remove_at_most, x"),
        ("clean: {remove_at_most: -1}", "is not a whole number from 0"),
        ("clean: {remove_at_most: many}", "is not a whole number from 0"),
        ("offline: yes", "/offline is neither true nor false"),
        ("offline: true\noffline: false", "answers.yml:2:1: the document has the key “offline” twice"),
        ("- offline", "the document is a list, not a mapping"),
        ("", "the file is empty"),
        ("offline: '${enc:QQ}'", "holds an encrypted value"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        loaded(tmp_path, text)
    assert said in str(caught.value)
    assert caught.value.remedy
