"""Secret values guard themselves; masks are single-use."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.errors import MaskReuseError, ShapeError
from saferoom.sharing.masks import MaskBook
from saferoom.sharing.values import Masked, MaskedShare, Share


def share(value=1, frac_bits=8, dtype=np.uint64):
    return Share(np.array([value, 2], dtype=dtype), frac_bits)


def test_secrets_refuse_to_become_plain():
    for use in (bool, float, iter, list):
        with pytest.raises(TypeError):
            use(share())


def test_repr_shows_shape_and_scale_only():
    assert repr(share(123456789)) == "Share(shape=(2,), frac_bits=8)"
    assert "123456789" not in repr(MaskedShare(np.array([123456789], np.uint64), 3))
    assert "seed" not in repr(MaskBook(bytes(32))).lower()


def test_scales_and_moduli_must_agree():
    with pytest.raises(ShapeError):
        share() + share(frac_bits=9)
    with pytest.raises(ShapeError):
        share() - share(dtype=np.uint32)
    with pytest.raises(ShapeError):
        Masked(np.zeros(3), 0)


def test_free_operations():
    total = (share(5) + share(7) - share(2))[0]
    assert int(total.value) == 10
    assert int((-share(1)).value[0]) == 2**64 - 1


def test_a_mask_is_spent_once():
    book = MaskBook(bytes(32))
    first = book.spend("train/pass=1/x", (3, 2))
    with pytest.raises(MaskReuseError) as error:
        book.spend("train/pass=1/x", (3, 2))
    assert error.value.step == "train/pass=1/x"
    assert not np.array_equal(first, book.spend("train/pass=2/x", (3, 2)))


def test_a_retired_label_is_not_spent_any_more():
    book = MaskBook(bytes(32))
    book.retire("train/pair")
    for use in (lambda: book.retire("train/pair"), lambda: book.spend("train/pair", (3,))):
        with pytest.raises(MaskReuseError):
            use()


def test_both_ends_draw_the_same_mask():
    ends = MaskBook(bytes(range(32))), MaskBook(bytes(range(32)))
    assert np.array_equal(*(book.spend("x", (100,), np.uint32) for book in ends))
