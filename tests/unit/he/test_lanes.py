"""The vectorised code: when it is made and used, and when not."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from gmpy2 import mpz

from saferoom.errors import ProtocolError, UsageError
from saferoom.he import lanes, lanes_code, lanes_kernel, quickest
from saferoom.he.fixed_base import FixedBase
from saferoom.he.lanes import limbs_for
from saferoom.he.products import numbers_of, values_of
from saferoom.he.quickest import products_for

pytestmark = pytest.mark.skipif(
    not lanes_kernel.available(), reason="the vectorised code needs AVX-512 IFMA, and llvmlite"
)


@pytest.fixture(autouse=True)
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """The code is used whatever there is to do, unless a test says otherwise."""
    for threshold in ("WORTHWHILE", "WORTH_CALLING"):
        monkeypatch.setattr(quickest, threshold, 0)


def test_code_is_made_once_enough_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quickest, "WORTHWHILE", 100)
    monkeypatch.setattr(quickest, "WORTH_CALLING", 20)
    monkeypatch.setattr(quickest, "_asked", Counter())
    modulus = mpz(101)
    monkeypatch.setattr(lanes_kernel, "_made", {})
    kinds = [type(products_for(modulus, count)).__name__ for count in (60, 39, 1, 20, 19)]
    assert kinds == ["OneByOne", "OneByOne", "OneByOne", "Lanes", "OneByOne"]


def test_tables_move_to_the_vectorised_code_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    base, exponents = FixedBase(mpz(3), mpz(101), 1), np.arange(40, dtype=np.uint8)[:, None]
    expected, kinds = [pow(3, exponent, 101) for exponent in range(40)], []
    for threshold in (10**9, 0, 10**9):
        monkeypatch.setattr(quickest, "WORTH_CALLING", threshold)
        assert base.powers(exponents) == expected
        kinds.append(type(base._table.products).__name__)  # type: ignore[union-attr]
    assert kinds == ["OneByOne", "Lanes", "Lanes"]


def test_the_largest_modulus_does_not_overflow() -> None:
    """All its digits are as large as can be. Above it GMP is used."""
    bits = lanes_code.DIGIT_BITS * lanes_kernel.MOST_LIMBS - 2
    modulus = (mpz(1) << bits) - 1
    products = products_for(modulus, 1)
    assert type(products_for(2 * modulus + 1, 1)).__name__ == "OneByOne"
    found = products.runs(numbers_of(products, [modulus - 1, modulus - 2]), np.arange(30) % 2, np.array([30]))
    assert values_of(products, found) == [pow(mpz(2), 15)]


def test_limbs_leave_room_for_four_times_the_modulus() -> None:
    for bits in range(1, 700):
        limbs = limbs_for((mpz(1) << bits) - 1)
        assert limbs % lanes_code.BLOCK == 0
        assert bits + 2 <= lanes_code.DIGIT_BITS * limbs < bits + 2 + lanes_code.DIGIT_BITS * lanes_code.BLOCK


def test_where_it_cannot_run_it_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lanes_kernel, "available", lambda: False)
    with pytest.raises(UsageError):
        lanes_kernel.kernel(1000)


def test_a_processor_that_errs_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    right = lanes_kernel.kernel(limbs_for(mpz(1) << 99))

    def wrong(*arguments: int) -> None:
        right.products(*arguments)
        ctypes.c_uint64.from_address(arguments[-1]).value ^= 1

    monkeypatch.setattr(lanes, "kernel", lambda _: replace(right, products=wrong))
    monkeypatch.setattr(lanes, "_checked", set())
    with pytest.raises(ProtocolError, match="wrong on this machine"):
        products_for((mpz(1) << 99) - 1, 1)


def test_a_service_that_may_not_make_code_uses_gmp() -> None:
    """As under systemd's MemoryDenyWriteExecute, by the kernel's own switch for it."""
    code = (
        "import ctypes, sys\n"
        "PR_SET_MDWE, REFUSE_EXEC_GAIN = 65, 1\n"
        "if ctypes.CDLL(None).prctl(PR_SET_MDWE, REFUSE_EXEC_GAIN, 0, 0, 0): sys.exit(77)\n"
        "from gmpy2 import mpz\n"
        "from saferoom.he import quickest\n"
        "quickest.WORTHWHILE = 0\n"
        "print(type(quickest.products_for(mpz(101), 1)).__name__)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip("the kernel has no such switch")
    assert (done.returncode, done.stdout.strip()) == (0, "OneByOne"), done.stderr
