"""Foreign text made plain: nothing moves the cursor, and each character takes the cells it is said to take."""

import unicodedata

from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from atlasdb_recovery.foreign import plain

HIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Mn", "Me", "Mc", "Zl", "Zp"}


def test_every_character_takes_one_or_two_cells_and_none_is_hidden() -> None:
    for code in (*range(0x30000), *range(0xE0000, 0xE0200)):
        for shown in plain(chr(code)):
            assert cell_len(shown) in {1, 2}, hex(code)
            assert unicodedata.category(shown) not in HIDDEN, hex(code)


@given(st.text(st.characters(codec=None), max_size=60))
@example("👨\u200d👩\u200d👧 \u26a0\ufe0f \U0001f1e9\U0001f1ea e\u0301 \u1100\u1161")
def test_the_width_of_a_text_is_that_of_its_characters(text: str) -> None:
    shown = plain(text)
    assert cell_len(shown) == sum(map(cell_len, shown))


def test_what_an_operator_reads_is_left_alone() -> None:
    for text in ("[2026-11-23 03:12:44] Repair (1,2] finished", "Ärger mit Präfix ø, 修復が完了しました, ≤ 5 °C"):
        assert plain(text) == text


def test_escapes_show_what_was_there() -> None:
    assert plain("\x1b]52;c;aGk=\x07 a\u202eb \u200bc e\u0301") == "\\x1b]52;c;aGk=\\x07 a\\u202eb \\u200bc e\\u0301"


def test_a_long_line_is_cut_and_says_by_how_much() -> None:
    assert plain("x" * 1_000_000, 10) == f"{'x' * 10}… (999990 more characters)"
