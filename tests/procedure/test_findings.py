"""What a scan found does not depend on the order in which its pages came."""

import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from atlasdb_recovery.atlas import transactions
from atlasdb_recovery.cassandra.ports import Cell
from atlasdb_recovery.procedure.removal.findings import LONGEST_VALUE, ODD_KEPT, SAMPLES, Findings, Found, OddCell

B = 1_000


def found(start: int, commit: int) -> Found:
    value = transactions.value_of(1, start, commit)
    cell = Cell(*transactions.locate(1, start), value, 5)
    return Found(transactions.TRANSACTIONS, 1, start, commit, "committed", cell)


@given(st.dictionaries(st.integers(1, 2_000), st.integers(1, 500), max_size=60), st.randoms(use_true_random=False))
def test_in_any_order_the_same_is_found(distances: dict[int, int], order: random.Random) -> None:
    commits = [(start, max(start + distance, B + 1)) for start, distance in distances.items()]
    odd = [OddCell("_transactions", f"{start:04x}", "74", -1, "", "no value") for start in distances]

    def scanned() -> dict[str, object]:
        findings = Findings(after=B)
        for start, commit in commits:
            findings.saw_commit(start, commit)
            findings.add(found(start, commit))
        for cell in odd:
            findings.saw_odd(cell)
        return findings.facts() | {"cells": msgspec.to_builtins(findings.odd)}

    before = scanned()
    order.shuffle(commits)
    order.shuffle(odd)
    assert scanned() == before


def test_the_samples_are_the_first_commits_beyond_b_and_those_that_straddle_it() -> None:
    findings = Findings(after=B)
    for start in range(B + 500, B - 500, -1):
        findings.add(found(start, start + 600))
    shown = findings.facts()
    assert [one["start"] for one in shown["samples"]] == list(range(B - 499, B - 499 + SAMPLES))
    assert [one["start"] for one in shown["straddlers"]] == list(range(B - 499, B - 499 + SAMPLES))
    assert shown["straddling"] == 499
    assert shown["count"] == 1_000


def test_every_odd_cell_counts_and_a_thousand_are_kept_whole() -> None:
    findings = Findings(after=B)
    for number in range(ODD_KEPT + 7, 0, -1):
        findings.saw_odd(OddCell("_transactions2", f"{number:08x}", "00", 0, "ff" * 9, "column2 is 0"))
    assert (findings.odd_count, len(findings.odd)) == (ODD_KEPT + 7, ODD_KEPT)
    assert findings.odd[0].words == (
        "_transactions2 key 0x00000001 column1 0x00 column2 0 value 0xffffffffffffffffff (9 bytes): column2 is 0"
    )


def test_a_huge_odd_value_is_cut_and_says_how_long_it_is() -> None:
    words = OddCell("_transactions", "00", "74", -1, "ab" * 1_000_000, "too long").words
    assert len(words) < LONGEST_VALUE + 200
    assert "(1,000,000 bytes)" in words
