"""Vectors of ciphertexts, sums by bin: right in this process and over workers; broken input; dead workers."""

from __future__ import annotations

import contextlib
import gc
import signal
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psutil
import pytest
from gmpy2 import mpz

from saferoom.errors import PeerError, ProtocolError, ShapeError, UsageError, VerificationError
from saferoom.he.ciphertexts import Ciphertexts, check_units
from saferoom.he.key_files import public_to_json
from saferoom.he.keys import PrivateKey
from saferoom.he.packing import Slots
from saferoom.he.products import numbers_of
from saferoom.he.quickest import products_for
from saferoom.he.vectors import BinSums, decrypt_vector, encrypt_vector, pack_vector, portions, shared_out
from saferoom.he.workers import Workers
from tests.he_keys import QUICK, key_for
from tests.waiting import LIMIT_S


@pytest.fixture(scope="module", params=[0, 2])
def workers(request: pytest.FixtureRequest) -> Iterator[Workers]:
    with Workers(request.param) as ready:
        yield ready


@pytest.mark.parametrize("count", [0, 1, 5])
def test_encrypt_and_decrypt(workers: Workers, count: int) -> None:
    key, plains = key_for(), [3**place for place in range(count)]
    ciphertexts = encrypt_vector(key, plains, workers)
    assert ciphertexts.value.shape == (count, key.public.width_bytes)
    assert decrypt_vector(key, ciphertexts, workers) == plains


def test_negative_numbers_are_encrypted_and_raised_by_an_offset(workers: Workers) -> None:
    key, slots, offset = key_for(), Slots(75, QUICK.plain_bits), 1 << 70
    plains = [-1, 255, -256, 0, -(1 << 70), (1 << 70) - 1, 128, -128, 127, 5, -5]
    encrypted = encrypt_vector(key, plains, workers)
    packed = pack_vector(key.public, encrypted.numbers(), slots, workers, offset)
    full, rest = decrypt_vector(key, packed, workers)
    assert slots.unpack(full, 9) + slots.unpack(rest, 2) == [plain + offset for plain in plains]
    for wrong in (-1, 1 << 75):
        with pytest.raises(UsageError):
            pack_vector(key.public, encrypted.numbers(), slots, workers, wrong)


def columns_of(rng: np.random.Generator, rows: int, counts: list[int]) -> list[np.ndarray[Any, Any]]:
    return [np.minimum(rng.geometric(0.3, rows) - 1, count - 1) for count in counts]


@pytest.mark.parametrize("counts", [[1], [4], [3, 3], [2, 3, 4, 9], [200], [5, 1, 5]])
def test_sums_by_bin(workers: Workers, counts: list[int]) -> None:
    """With joint cells of several columns, columns with empty bins, and more workers than columns."""
    key, rng, rows = key_for(), np.random.default_rng(len(counts)), 150
    values, columns = rng.integers(0, 1000, rows), columns_of(rng, rows, counts)
    ciphertexts = encrypt_vector(key, values.tolist(), workers)
    sums = BinSums(key.public, columns, counts, workers)
    for start in (0, 40, 90):
        sums.add(ciphertexts[start : {0: 40, 40: 90, 90: rows}[start]])
    found = sums.finish()
    for column, count, bins in zip(columns, counts, found, strict=True):
        expected = np.bincount(column, weights=values, minlength=count)
        assert [key.decrypt(number) for number in bins] == expected.tolist()


def test_many_rows_over_processes() -> None:
    """So many that workers take to the vectorised code where they can."""
    key, rng, rows, counts = key_for(), np.random.default_rng(7), 3000, [40, 3, 2, 5, 300]
    values, columns = rng.integers(-1000, 1000, rows), columns_of(rng, rows, counts)
    offset, slots = 1 << 30, Slots(31, QUICK.plain_bits)
    with Workers(2) as ready:
        sums = BinSums(key.public, columns, counts, ready)
        sums.add(encrypt_vector(key, values.tolist(), ready))
        found = [number for bins in sums.finish() for number in bins]
        packed = pack_vector(key.public, found, slots, ready, offset)
        plains = decrypt_vector(key, packed, ready)
    held = [value - offset for plain in plains for value in slots.unpack(plain, slots.per_plaintext)]
    pairs = zip(columns, counts, strict=True)
    assert held[: sum(counts)] == [
        int(total) for column, count in pairs for total in np.bincount(column, values, count)
    ]


def test_every_worker_gets_features_of_every_size() -> None:
    assert shared_out([2, 90, 3, 80, 70], 2) == [[1, 4, 0], [3, 2]]
    assert shared_out([], 2) == [[], []]


@pytest.mark.parametrize("count", [0, 1, 13, 14, 40])
def test_packed_sums_are_fresh_every_time(workers: Workers, count: int) -> None:
    key, slots = key_for(), Slots(50, QUICK.plain_bits)
    numbers = [key.encrypt(place) for place in range(count)]
    first, second = (pack_vector(key.public, numbers, slots, workers) for _ in range(2))
    assert len(first) == slots.plaintexts(count)
    assert not {row.tobytes() for row in first.value} & {row.tobytes() for row in second.value}
    for packed in (first, second):
        plains = decrypt_vector(key, packed, workers)
        values = [slots.unpack(plain, slots.per_plaintext) for plain in plains]
        assert [value for held in values for value in held][:count] == list(range(count))


BAD = ("zero", "the modulus", "beyond the modulus", "a multiple of p", "a multiple of q")


def check(key: PrivateKey, numbers: list[mpz]) -> None:
    width, products = key.public.width_bytes, products_for(key.public.modulus, 1)
    below = [number % key.public.modulus for number in numbers]
    data = b"".join(number.to_bytes(width, "big") for number in numbers)
    check_units(data, numbers_of(products, below), products, key.public)


def bad_numbers() -> dict[str, mpz]:
    key = key_for()
    modulus = key.public.modulus
    numbers = (mpz(0), modulus, modulus + 1, 5 * key.first.prime, 5 * key.second.prime)
    return dict(zip(BAD, numbers, strict=True))


@pytest.mark.parametrize("which", BAD)
def test_numbers_that_are_no_units_are_refused_everywhere(workers: Workers, which: str) -> None:
    key, bad = key_for(), bad_numbers()[which]
    with pytest.raises(PeerError):
        check(key, [key.encrypt(1), bad])
    check(key, [key.encrypt(1), key.encrypt(2)])
    for place in (0, 3):
        numbers = [key.encrypt(1) for _ in range(4)]
        numbers[place] = bad
        ciphertexts = Ciphertexts.of(numbers, key.public.width_bytes)
        with pytest.raises(PeerError):
            decrypt_vector(key, ciphertexts, workers)
        sums = BinSums(key.public, [np.zeros(4, dtype=np.int64)], [1], workers)
        sums.add(ciphertexts)
        with pytest.raises(PeerError):
            sums.finish()


def test_units_that_are_no_ciphertexts_are_refused(workers: Workers) -> None:
    """Minus a square is no square modulo primes that are 3 mod 4; two would be one under half of all keys."""
    key = key_for()
    with pytest.raises(VerificationError):
        decrypt_vector(key, Ciphertexts.of([key.public.n - 4], key.public.width_bytes), workers)


def test_shapes_are_checked(workers: Workers) -> None:
    key = key_for()
    with pytest.raises(UsageError):
        decrypt_vector(key, Ciphertexts(np.zeros((2, 3), np.uint8)), workers)
    with pytest.raises(ShapeError):
        Ciphertexts(np.zeros(3, np.uint8))
    with pytest.raises(UsageError):
        encrypt_vector(key, [1, 2**QUICK.plain_bits], workers)
    for bad in (-1, 1):
        with pytest.raises(UsageError):
            BinSums(key.public, [np.array([0, bad])], [1], workers)
    sums = BinSums(key.public, [np.zeros(4, dtype=np.int64)], [1], workers)
    sums.add(encrypt_vector(key, [1, 2], workers))
    with pytest.raises(ShapeError):
        sums.finish()


def test_ciphertexts_do_not_show_and_are_no_condition() -> None:
    ciphertexts = Ciphertexts.of([mpz(77)], 4)
    assert repr(ciphertexts) == "Ciphertexts(shape=(1, 4))"
    for use in (bool, iter):
        with pytest.raises(TypeError):
            use(ciphertexts)
    assert ciphertexts.numbers() == [77]


def test_portions_cover_everything_once() -> None:
    for count in range(12):
        for workers in (1, 2, 5):
            assert [i for part in portions(count, workers) for i in range(count)[part]] == list(range(count))


@pytest.fixture
def started() -> Callable[[], set[psutil.Process]]:
    """`started()`: the processes of this one that have come since the test began, and still run."""
    before = set(psutil.Process().children())
    return lambda: set(psutil.Process().children()) - before


def test_processes_start_when_they_are_needed(
    started: Callable[[], set[psutil.Process]],
) -> None:
    with Workers(2) as ready:
        assert (ready.count, started()) == (2, set())
        ready.use(key_for().public)
        assert len(started()) == 2


def test_a_dead_worker_is_an_error_and_closing_ends_the_others(
    started: Callable[[], set[psutil.Process]],
) -> None:
    with Workers(2) as ready:
        ready.use(key_for())
        started().pop().kill()
        with pytest.raises(ProtocolError, match="ended"):
            encrypt_vector(key_for(), [1, 2, 3], ready)
    assert started() == set()


@pytest.mark.parametrize(("task", "parts"), [("encrypt", [b"\1"]), ("nothing", []), ("sum_rows", [])])
def test_what_goes_wrong_inside_a_worker_is_told_without_values(task: str, parts: list[bytes]) -> None:
    with Workers(1) as ready:
        ready.use(key_for().public)
        with pytest.raises(ProtocolError, match=r"private key|failed with KeyError|before it had rows"):
            ready.do(task, [({"width": 1}, parts)])
        assert ready.do("take_public", [({}, [public_to_json(key_for().public).encode()])]) == [[]]


def test_workers_end_when_their_parent_is_killed() -> None:
    code = (
        "import os, psutil, signal\n"
        "from saferoom.he.workers import Workers\n"
        "workers = Workers(1)\n"
        "workers.start('sum_rows', [({}, [])])[0].exception()\n"
        "print(psutil.Process().children()[0].pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGKILL, done.stderr
    with contextlib.suppress(psutil.NoSuchProcess):
        psutil.Process(int(done.stdout)).wait(timeout=LIMIT_S)


def test_workers_run_inside_a_daemonic_process() -> None:
    """Where Python's own process pools refuse to start children, ours are programs of their own."""
    code = (
        "import multiprocessing as m\n"
        "from saferoom.he.workers import Workers\n"
        "def work():\n"
        "    from tests.he_keys import key_for\n"
        "    from saferoom.he.vectors import decrypt_vector, encrypt_vector\n"
        "    with Workers(1) as w:\n"
        "        assert decrypt_vector(key_for(), encrypt_vector(key_for(), [7], w), w) == [7]\n"
        "        print('right', flush=True)\n"
        "p = m.get_context('fork').Process(target=work, daemon=True)\n"
        "p.start()\np.join()\nraise SystemExit(p.exitcode)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "right"), done.stderr


def test_nothing_is_left_open() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with Workers(1) as ready:
            ready.use(key_for().public)
        del ready
        gc.collect()
