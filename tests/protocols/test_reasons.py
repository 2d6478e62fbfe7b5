"""Reason codes: those of a merge of all parties' lists, for 2, 3 and 4 parties; and nothing else is seen."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.channel.session import Session
from saferoom.errors import PeerError, ShapeError
from saferoom.models.reasons import NO_CODE, costliest, deal_reasons, rank_reasons
from saferoom.protocols.lookup import deal_lookup, open_lookup
from saferoom.protocols.products import deal_factor, deal_multiply_each, multiply_each, open_factor
from tests.numeric_room import HELPER, Room, Shares
from tests.uniformity import looks_uniform

Array = np.ndarray[Any, Any]
parties = pytest.mark.parametrize("k", [2, 3, 4])


def merged_in_the_clear(lost: list[Array], codes: list[Array], most: int) -> Array:
    """The plain twin: of equal costs the earlier party's, and its earlier column's, comes first."""
    rows = []
    for n in range(len(lost[0])):
        candidates = [
            (-min(cost, 255), place, code if cost > 0 else NO_CODE)
            for place, (table, names) in enumerate(zip(lost, codes, strict=True))
            for cost, code in sorted(
                zip(table[n].tolist(), names.tolist(), strict=True), key=lambda pair: -pair[0]
            )
        ]
        chosen = [code for _, _, code in sorted(candidates, key=lambda one: one[:2])][:most]
        rows.append(chosen + [NO_CODE] * (most - len(chosen)))
    return np.array(rows)


def tables(k: int, rows: int, seed: int = 0) -> tuple[list[Array], list[Array]]:
    rng = np.random.default_rng(seed)
    widths = [1 + (place * 2) % 5 for place in range(k)]
    lost = [np.maximum(rng.integers(-30, 90, (rows, width)), 0) for width in widths]
    lost[0][0, 0] = 400
    return lost, [100 * (place + 1) + np.arange(width) for place, width in enumerate(widths)]


def play(lost: list[Array], codes: list[Array], most: int) -> Any:
    def party(session: Session, index: int) -> Any:
        costs, named = costliest(lost[index], codes[index], most)
        return rank_reasons(session, costs, named, "p0")

    return Room().run(len(lost), party, deal_reasons)


@parties
@pytest.mark.parametrize("most", [1, 4])
def test_the_codes_are_those_of_the_merged_lists(k: int, most: int) -> None:
    lost, codes = tables(k, 150)
    played = play(lost, codes, most)
    assert played.results[0].tolist() == merged_in_the_clear(lost, codes, most).tolist()
    assert all(other is None for other in played.results[1:])
    assert {(d.kind, d.to, d.shape) for d in played.disclosures} == {("reason_codes", "p0", (150 * most,))}


def test_no_rows_are_no_reasons() -> None:
    lost, codes = tables(2, 1)
    assert play([table[:0] for table in lost], codes, 3).results[0].shape == (0, 3)


def test_what_travels_between_parties_is_uniform() -> None:
    """Costs are small and often zero, names are few: unmasked, every test of uniformity would fail."""
    lost, codes = tables(3, 128)
    sent: dict[str, dict[str, Array]] = {}
    for sender, _, message in play(lost, codes, 4).messages:
        label, (*_, tensor) = decode(message)
        if sender != HELPER and label.split("/")[-1] in ("turn", "factor"):
            sent.setdefault(label, {})[sender] = tensor.ravel()
    words: dict[str, list[Array]] = {}
    for label, parts in sent.items():
        bits = 9 if "compare" in label else 4 if "rank" in label else 64
        opened = sum(parts.values())  # what everybody learns, beside what each party sends
        for tensor in (*parts.values(), opened):
            whole = tensor >> np.array(tensor.dtype.itemsize * 8 - bits, dtype=tensor.dtype)
            words.setdefault(f"{label.split('/')[-1]} {bits}", []).append(whole)
    assert set(words) == {"turn 9", "turn 4", "factor 64"}
    for kind, found in words.items():
        values = np.concatenate(found)
        if kind == "factor 64":
            assert looks_uniform(values)
            continue
        counts = np.bincount(values.astype(np.int64), minlength=2 ** int(kind.split()[1]))
        expected = len(values) / len(counts)
        spread = ((counts - expected) ** 2 / expected).sum()
        assert spread < len(counts) + 6 * np.sqrt(2 * len(counts))


def test_parties_that_bring_other_rows_are_found_out() -> None:
    lost, codes = tables(2, 5)
    with pytest.raises(PeerError, match="rank"):
        play([lost[0], lost[1][:4]], codes, 2)


def test_costs_that_are_too_high_are_refused() -> None:
    def party(session: Session, index: int) -> Any:
        return rank_reasons(session, np.full((2, 1), 256), np.zeros((2, 1), dtype=np.int64), "p0")

    with pytest.raises(ShapeError):
        Room(2).run(2, party, None)


@parties
@pytest.mark.parametrize("dtype", [np.uint32, np.uint64])
def test_a_lookup_gives_the_entry(k: int, dtype: Any) -> None:
    rng = np.random.default_rng(k)
    table = rng.integers(0, 2**31, (64, 3)).astype(dtype)
    index = rng.integers(0, 64, 500)
    shares = Shares().split(index.astype(float), k, 0, np.uint32)
    played = Room().play(
        k,
        lambda s, d, i: open_lookup(s, d, "look", shares[i], table),
        lambda dealer, s: deal_lookup(dealer, s, "look", 500, table),
    )
    total = sum(share.value for share in played.results)
    assert total.tolist() == table[index].tolist()
    assert played.meters["p1"].rounds == 1
    assert 2000 <= played.meters["p0"].sent["p1"].size_bytes < 2200


@parties
def test_products_entry_by_entry(k: int) -> None:
    rng = np.random.default_rng(k)
    x, y = rng.integers(-9, 9, (2, 7, 5)).astype(float)
    xs, ys = Shares().split(x, k, 0), Shares().split(y, k, 0)

    def party(s: Session, d: Any, i: int) -> Any:
        left, right = open_factor(s, d, "x", xs[i]), open_factor(s, d, "y", ys[i])
        return multiply_each(s, d, "xy", left, right)

    def dealer(dealer: Any, s: Session) -> None:
        left, right = deal_factor(dealer, s, "x", x.shape), deal_factor(dealer, s, "y", x.shape)
        deal_multiply_each(dealer, s, "xy", left, right)

    assert Shares().join(Room().play(k, party, dealer).results).tolist() == (x * y).tolist()


def test_a_party_without_features_takes_part_all_the_same() -> None:
    lost, codes = tables(3, 20)
    lost[0], codes[0] = lost[0][:, :0], codes[0][:0]
    assert play(lost, codes, 3).results[0].tolist() == merged_in_the_clear(lost, codes, 3).tolist()


def test_eight_parties_rank_as_two_do() -> None:
    lost, codes = tables(8, 6)
    assert play(lost, codes, 4).results[0].tolist() == merged_in_the_clear(lost, codes, 4).tolist()
