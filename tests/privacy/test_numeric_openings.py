"""What travels in a joint regression: uniform words, under masks spent once, and declared disclosures."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.errors import MaskReuseError
from saferoom.kinds.learns import DISCLOSURES
from saferoom.models.logistic import plan as logistic_plan
from saferoom.models.logistic.plan import WIDE
from saferoom.protocols.truncation import deal_truncation, open_truncated
from tests.logistic_room import play_logistic, synthetic
from tests.numeric_room import HELPER
from tests.uniformity import FEWEST, looks_uniform

WORDS = (np.dtype("<u8"), np.dtype("<u4"))


@pytest.fixture(scope="module")
def job():
    """A job with 32-bit and 64-bit words, subset and full passes; features far from uniform."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(logistic_plan, "SMALL_ROWS", 500)
        patch.setattr(logistic_plan, "LARGE_ROWS", 1000)
        patch.setattr(logistic_plan, "LARGE_CELLS", 0)
        blocks, labels = synthetic(9_000, [2, 3, 2])
        tests, _ = synthetic(500, [2, 3, 2], seed=1)
        return play_logistic(blocks, labels, tests)


def of_small_words(label):
    """Numbers of 24 bits and shared bits, which `test_comparison` looks at, and bits that all learn."""
    return bool({"limits", "any", "range", "converged", "converged told"} & set(label.split("/")))


OPEN = {"reveal", "sizes", "pace", "row seed", "seed", "nonce", "echo"}


def by_kind(played):
    """All masked words that travelled, by the last two parts of the step's label."""
    words = defaultdict(list)
    broadcast = set()  # the same words go to several peers: count them once
    for sender, receiver, message in played.messages:
        label, tensors = decode(message)
        if of_small_words(label) or label.split("/")[-1] in OPEN:
            continue
        if label.startswith("release/coefficients/"):
            continue
        assert receiver != HELPER
        key = (sender, label, tensors[0].tobytes()[:64])
        if key in broadcast:
            continue
        broadcast.add(key)
        for tensor in tensors:
            assert tensor.dtype in WORDS, label
            words[f"{'dealer ' if sender == HELPER else ''}{label.split('/')[-1]} {tensor.dtype}"].append(
                tensor.ravel()
            )
    return {kind: np.concatenate(parts) for kind, parts in words.items()}


def test_every_byte_of_masked_words_is_uniform(job):
    kinds = by_kind(job.played)
    assert {"turns uint32", "rows uint32", "rows uint64", "vector uint64", "dealer 0 uint32"} <= set(kinds)
    many = {kind: words for kind, words in kinds.items() if len(words) >= FEWEST}
    assert len(many) >= 7
    for kind, words in many.items():
        assert looks_uniform(words), kind


def test_opened_values_are_uniform(job):
    """The sums of what the parties sent, which everybody learns, not only the single messages."""
    opened = defaultdict(dict)
    for sender, _, message in job.played.messages:
        label, tensors = decode(message)
        spoken = label.split("/")[-1] in {"turns", "rows", "open", "factor"} and sender != HELPER
        if spoken and not of_small_words(label):
            opened[label][sender] = tensors[0]
    whole = [
        np.ravel(np.sum(list(parts.values()), axis=0, dtype=next(iter(parts.values())).dtype))
        for parts in opened.values()
    ]
    for dtype in (np.uint32, np.uint64):
        assert looks_uniform(np.concatenate([w for w in whole if w.dtype == dtype]))


def test_the_uniformity_test_can_fail():
    """Fixed-point features, unmasked, are recognised at once."""
    words = np.random.default_rng(0).normal(size=5_000) * 2**12
    assert not looks_uniform(words.astype(np.int64).view(np.uint64))


def test_no_two_messages_are_equal(job):
    """A mask spent twice on the same value would show as equal words."""
    seen = set()
    for sender, receiver, message in job.played.messages:
        label, tensors = decode(message)
        for tensor in tensors:
            if tensor.dtype in WORDS and tensor.size > 4:
                key = (sender, receiver, tensor.tobytes())
                assert key not in seen, label
                seen.add(key)


def test_the_helper_hears_sizes_and_progress_only(job):
    heard = [decode(message) for _, receiver, message in job.played.messages if receiver == HELPER]
    told = {"converged told": (1,), "range told": (1,)}
    assert {label.split("/")[-1] for label, _ in heard} == {"sizes", "pace", "nonce", *told}
    shapes = {"sizes": (2,), "pace": (0,), "nonce": (32,)} | told
    assert all([t.shape for t in tensors] == [shapes[label.split("/")[-1]]] for label, tensors in heard)


def test_only_declared_disclosures(job):
    seen = {(d.kind, d.to, d.shape) for d in job.played.disclosures}
    assert seen == {
        ("score", "p0", (9_000,)),
        ("score", "p0", (500,)),
        *((kind, who, (1,)) for kind in ("range_check", "converged") for who in ("p0", "p1", "p2", HELPER)),
        ("intercept", "p0", (1,)),
        ("coefficients", "p0", (2,)),
        ("coefficients", "p1", (3,)),
        ("coefficients", "p2", (2,)),
    }
    assert {kind for kind, _, _ in seen} <= set(DISCLOSURES)


def test_disclosed_values_reach_their_party_only(job):
    for _, receiver, message in job.played.messages:
        label, _ = decode(message)
        if label.endswith("/reveal"):
            assert receiver == "p0"
        if "release/coefficients/" in label:
            assert label.endswith(receiver)


def test_labels_of_steps_are_never_repeated_between_two_parties(job):
    seen = set()
    for sender, receiver, message in job.played.messages:
        key = (sender, receiver, decode(message)[0])
        assert key not in seen or key[2].endswith("/pace")
        seen.add(key)


def test_a_second_use_of_a_step_raises(room, shares):
    parts = shares.split(np.zeros(3), 2, 20)

    def party(session, randomness, index):
        open_truncated(session, randomness, "t", parts[index], 10)
        with pytest.raises(MaskReuseError):
            open_truncated(session, randomness, "t", parts[index], 10)
        return True

    assert all(room.play(2, party, lambda dealer, s: deal_truncation(dealer, s, "t", (3,), 10)).results)


def test_seeds_of_parties_differ_and_come_from_the_system(room):
    def party(session, randomness, index):
        return tuple(randomness.mask("x", (4,)))

    first = room.play(3, party, lambda dealer, s: None).results
    second = room.play(3, party, lambda dealer, s: None).results
    assert len({*first, *second}) == 6


def test_revealed_scores_hold_nothing_above_the_score():
    """Wide products are right mod 2**46; the bits above would be a second score of the others' features."""
    shown = []

    def meddle(session):
        reveal = session.reveal

        def spy(label, to, share, *, kind):
            words = reveal(label, to, share, kind=kind)
            if kind in {"score", "intercept"} and words is not None:
                shown.append((words, share.frac_bits))
            return words

        session.reveal = spy

    blocks, labels = synthetic(400, [2, 2, 2])
    play_logistic(blocks, labels, meddle=meddle)
    assert {words.dtype for words, _ in shown} == {np.dtype(np.uint64)}
    for words, frac_bits in shown:
        dropped = frac_bits - WIDE.feature_bits - WIDE.weight_bits
        assert dropped > 0
        assert not (words & np.uint64((1 << dropped) - 1)).any()
