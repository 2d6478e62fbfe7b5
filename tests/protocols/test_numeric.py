"""Every numeric protocol: right for 2, 3 and 4 parties; rounds and bytes as its docstring says."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.protocols.inverse import Inversion, deal_inverse, open_inverse
from saferoom.protocols.joint_columns import ColumnLayout, JointForm
from saferoom.protocols.private_matrix import (
    backward,
    deal_backward,
    deal_columns,
    deal_forward,
    deal_to_owners,
    forward,
    mask_columns,
    open_to_owners,
)
from saferoom.protocols.products import deal_factor, deal_multiply, multiply, open_factor
from saferoom.protocols.sigmoid import SineSeries, as_turns, deal_sigmoid, open_sigmoid
from saferoom.protocols.squares import apply_squares, deal_apply_squares, deal_squares, mask_squares
from saferoom.protocols.truncation import (
    deal_truncation,
    deal_widened_sum,
    open_truncated,
    open_widened_sum,
)
from saferoom.protocols.weighted_gram import deal_weighted_gram, open_weighted_gram
from saferoom.ring.fixed import encode
from saferoom.sharing.values import Share

HEADER = 60  # most bytes of label, dtype and shape in a message
parties = pytest.mark.parametrize("k", [2, 3, 4])


def sent_bytes(meter, peer):
    """Payload only: what headers take is a few dozen bytes a message."""
    traffic = meter.sent[peer]
    return traffic.size_bytes - HEADER * traffic.messages, traffic.size_bytes


def assert_sends(played, me, peer, expected):
    low, high = sent_bytes(played.meters[me], peer)
    assert low <= expected < high


@parties
@pytest.mark.parametrize("bits", [1, 20, 40])
def test_truncation_is_exact_to_one_unit(room, shares, k, bits):
    rng = np.random.default_rng(bits)
    integers = rng.integers(-(2**61), 2**61, 20_000) >> rng.integers(0, 60, 20_000)
    z = [Share(s.value, 0) for s in shares.split(np.zeros(20_000), k, 0)]
    z[0] = Share(z[0].value + integers.astype(np.uint64), 0)
    played = room.play(
        k,
        lambda s, d, i: open_truncated(s, d, "t", z[i], bits),
        lambda dealer, s: deal_truncation(dealer, s, "t", (20_000,), bits),
    )
    total = sum((r.value for r in played.results[1:]), played.results[0].value).view(np.int64)
    error = total - (integers >> bits)
    assert set(np.unique(error)) <= {0, 1}
    assert played.meters["p1"].rounds == 1
    assert_sends(played, "p0", "p1", 8 * 20_000)


@parties
def test_widened_sum(room, shares, k):
    x = np.random.default_rng(0).uniform(-500, 500, (70, 9))
    z = shares.split(x, k, 21, np.uint32)
    played = room.play(
        k,
        lambda s, d, i: open_widened_sum(s, d, "w", z[i]),
        lambda dealer, s: deal_widened_sum(dealer, s, "w", (70, 9)),
    )
    assert np.abs(shares.join(played.results) - x.sum(axis=0)).max() < 70 * 2**-21
    assert played.meters["p0"].rounds == 1
    assert_sends(played, "p0", "p1", 4 * 70 * 9)


@parties
@pytest.mark.parametrize(
    ("dtype", "frac", "block"), [(np.uint64, 12, None), (np.uint32, 8, 64)], ids=["wide", "narrow"]
)
def test_private_matrix_products(room, shares, k, dtype, frac, block):
    rng = np.random.default_rng(k)
    n, drop = 300, 10
    layout = ColumnLayout({name: i + 1 for i, name in enumerate(room.names(k))})
    x = {name: rng.normal(size=(n, width)) for name, width in layout.widths.items()}
    pooled = np.hstack(list(x.values()))
    u, v = rng.normal(size=layout.columns), rng.normal(size=n)
    us, vs = shares.split(u, k, 29), shares.split(v, k, 13, dtype)
    form = JointForm(layout, n, frac, np.dtype(dtype).itemsize * 8)

    def party(s, d, i):
        columns = mask_columns(s, d, "x", form, lambda rows: encode(x[s.me][rows], frac, dtype))
        after = [(s.meter.rounds, s.meter.sent[s.peers[0]].size_bytes)]
        z = forward(s, d, "z", columns, open_to_owners(s, d, "u", layout, us[i]), drop)
        g = backward(s, d, "g", columns, vs[i], block)
        return z, g, after

    def dealer(dealer, s):
        columns = deal_columns(dealer, s, "x", form)
        masks = deal_to_owners(dealer, s, "u", layout)
        deal_forward(dealer, s, "z", columns, masks, drop)
        deal_backward(dealer, s, "g", columns, block)

    played = room.play(k, party, dealer)
    z = [r[0] for r in played.results]
    if dtype == np.uint64:  # right mod 2**(64 - drop)
        z = [Share(part.value << np.uint64(drop), part.frac_bits + drop) for part in z]
    z = shares.join(z)
    g = shares.join([r[1] for r in played.results]).reshape(-1, layout.columns).sum(axis=0)
    assert np.abs(z - pooled @ u).max() < 0.05 * 2.0 ** (8 - frac)
    assert np.abs(g - pooled.T @ v).max() < 0.2 * 2.0 ** (8 - frac)
    rounds, size = played.results[1][2][0]
    assert rounds == 1
    word = np.dtype(dtype).itemsize
    assert n * 2 * word < size < n * 2 * word + 2 * HEADER
    assert played.meters["p0"].rounds <= 3 + 2  # columns, u, v; and the dealer's turns


@parties
def test_squares_act_blockwise(room, shares, k):
    rng = np.random.default_rng(1)
    layout = ColumnLayout({name: 2 + i for i, name in enumerate(room.names(k))})
    p = {name: rng.normal(size=(w, w)) for name, w in layout.widths.items()}
    u = rng.normal(size=layout.columns)
    us = shares.split(u, k, 30)

    def party(s, d, i):
        squares = mask_squares(s, d, "p", layout, encode(p[s.me], 18), 18)
        return apply_squares(s, d, "pu", squares, open_to_owners(s, d, "u", layout, us[i]))

    def dealer(dealer, s):
        squares = deal_squares(dealer, s, "p", layout, 18)
        deal_apply_squares(dealer, s, "pu", squares, deal_to_owners(dealer, s, "u", layout))

    played = room.play(k, party, dealer)
    expected = np.concatenate([p[name] @ u[layout.span(name)] for name in layout.widths])
    assert np.abs(shares.join(played.results) - expected).max() < 1e-4


@parties
@pytest.mark.parametrize(
    ("series", "frac", "most", "bias"),
    [
        (SineSeries(7, 36, 13, 13), 32, 3e-3, 5e-5),
        (SineSeries(5, 8, 6, 7, word_bits=32), 27, 0.06, 1e-3),
    ],
    ids=["wide", "narrow"],
)
def test_sigmoid_and_slope(room, shares, k, series, frac, most, bias):
    z = np.concatenate([np.linspace(-series.reach, series.reach, 4_000), np.zeros(4_000)])
    zs = shares.split(z * 0.999, k, frac, series.dtype)
    played = room.play(
        k,
        lambda s, d, i: open_sigmoid(s, d, "s", as_turns(zs[i], series.period_bits), series, slope=True),
        lambda dealer, s: deal_sigmoid(dealer, s, "s", len(z), series),
    )
    p = shares.join([r[0] for r in played.results]) + 0.5
    slope = shares.join([r[1] for r in played.results])
    true = 1 / (1 + np.exp(-z * 0.999))
    assert np.abs(p - true).max() < most
    assert abs((p - true).mean()) < bias
    assert np.abs(slope - true * (1 - true)).max() < 1.6 * most + 2e-3
    assert_sends(played, "p0", "p1", 4 * len(z))
    assert played.meters["p0"].rounds == 1


@pytest.mark.parametrize(
    ("bits", "terms", "error"), [(5, 6, 5e-4), (5, 8, 1.2e-4), (6, 14, 2e-4), (7, 32, 2e-4)]
)
def test_series_is_as_good_as_documented(bits, terms, error):
    series = SineSeries(bits, terms, 13, 13)
    z = np.linspace(-series.reach, series.reach, 10_001)
    assert np.abs(series.value(z) - 1 / (1 + np.exp(-z))).max() < error


def test_amplitudes_fall_off_geometrically():
    amplitudes = SineSeries(5, 6, 6, 7).amplitudes()
    assert np.allclose(amplitudes, [0.59805, 0.12649, 0.03606, 0.01044, 0.00307, 0.00087], atol=1e-4)


@parties
def test_product_of_shared_matrices(room, shares, k):
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(30, 40)), rng.normal(size=(40, 3))
    left, right = shares.split(a, k, 16), shares.split(b, k, 20)

    def party(s, d, i):
        factors = open_factor(s, d, "a", left[i]), open_factor(s, d, "b", right[i])
        return multiply(s, d, "ab", *factors)

    def dealer(dealer, s):
        masks = deal_factor(dealer, s, "a", (30, 40)), deal_factor(dealer, s, "b", (40, 3))
        deal_multiply(dealer, s, "ab", *masks)

    played = room.play(k, party, dealer)
    assert np.abs(shares.join(played.results) - a @ b).max() < 1e-3
    assert_sends(played, "p1", "p0", 8 * (1200 + 120))


@parties
@pytest.mark.parametrize("smallest", [0.2, 0.002])
def test_inverse(room, shares, k, smallest):
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(25, 25)))[0]
    matrix = (axes * np.geomspace(smallest, 2.0, 25)) @ axes.T
    parts = shares.split(matrix, k, 16)
    inversion = Inversion(3.0, smallest / 3.0, 10)
    played = room.play(
        k,
        lambda s, d, i: open_inverse(s, d, "i", open_factor(s, d, "m", parts[i]), inversion),
        lambda dealer, s: deal_inverse(dealer, s, "i", deal_factor(dealer, s, "m", (25, 25)), 16, inversion),
    )
    inverse = shares.join(played.results)
    assert np.linalg.norm(inverse @ matrix - np.eye(25), 2) < 0.05
    assert played.meters["p0"].rounds == 1 + 3 * len(inversion.steps())


def test_inverse_is_cautious_below_its_range(room, shares):
    """Smaller eigenvalues than promised are inverted in part: never with the wrong sign, never too far."""
    matrix = np.diag([1.0, 0.5, 1e-4, 0.0])
    parts = shares.split(matrix, 2, 16)
    played = room.play(
        2,
        lambda s, d, i: open_inverse(s, d, "i", open_factor(s, d, "m", parts[i]), Inversion(2.0, 0.01, 10)),
        lambda dealer, s: deal_inverse(
            dealer, s, "i", deal_factor(dealer, s, "m", (4, 4)), 16, Inversion(2.0, 0.01, 10)
        ),
    )
    inverse = shares.join(played.results)
    assert np.allclose(np.diag(inverse)[:2], [1.0, 2.0], atol=0.05)
    assert (np.diag(inverse)[2:] > 0).all()
    assert (np.diag(inverse)[2:] < 1000).all()


def test_inverse_with_entries_in_the_thousands(room, shares):
    matrix = np.diag([1.0, 0.5, 2.0**-12])
    parts = shares.split(matrix, 2, 16)
    played = room.play(
        2,
        lambda s, d, i: open_inverse(s, d, "i", open_factor(s, d, "m", parts[i]), Inversion(1.1, 5e-4, 10)),
        lambda dealer, s: deal_inverse(
            dealer, s, "i", deal_factor(dealer, s, "m", (3, 3)), 16, Inversion(1.1, 5e-4, 10)
        ),
    )
    inverse = np.diag(shares.join(played.results))
    assert np.allclose(inverse[:2], [1.0, 2.0], atol=0.05)
    assert 1024 < inverse[2] <= 4096


@parties
def test_weighted_gram(room, shares, k):
    rng = np.random.default_rng(4)
    n = 400
    layout = ColumnLayout({name: 3 + i for i, name in enumerate(room.names(k))})
    x = {name: rng.normal(size=(n, w)) for name, w in layout.widths.items()}
    pooled, weights = np.hstack(list(x.values())), rng.random(n) / 4
    parts = shares.split(weights, k, 14)
    form = JointForm(layout, n, 12)

    def party(s, d, i):
        columns = mask_columns(s, d, "x", form, lambda rows: encode(x[s.me][rows], 12))
        gram = open_weighted_gram(s, d, "gram", columns, parts[i], 56)
        return Share(gram.value << np.uint64(8), gram.frac_bits + 8)

    def dealer(dealer, s):
        columns = deal_columns(dealer, s, "x", form)
        deal_weighted_gram(dealer, s, "gram", columns, 56)

    played = room.play(k, party, dealer)
    expected = (pooled.T * weights) @ pooled
    assert np.abs(shares.join(played.results) - expected).max() < 0.02
