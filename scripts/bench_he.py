"""How quick homomorphic encryption is: schemes, what a boosted tree asks of it, events counted by bin.

    python scripts/bench_he.py [--rows 100000] [--columns 40] [--bins 32] [--sample 200]

Prints one JSON object. Schemes: microseconds of processor time a ciphertext, of many at once. Trees:
processor seconds of both ends for the encrypted sums of one tree of depth 5, without the link and finding
splits, as this machine does it, and for one scheme also by GMP alone. Label counts: seconds from the first
message to the counts, label holder and feature holder on this machine without the link, and the
processor seconds of both, beside a loop over `phe` objects in one process, measured on a sample of rows
and scaled to all, in processor seconds, which on a quiet machine are its seconds.
"""

from __future__ import annotations

import argparse
import json
import resource
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import phe

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Session
from saferoom.he import lanes_kernel
from saferoom.he.generation import generate_key
from saferoom.he.kept_rows import KeptRows
from saferoom.he.keys import Encryption, PrivateKey, Randomness, Scheme
from saferoom.he.packing import Slots
from saferoom.he.products import numbers_of
from saferoom.he.quickest import products_for
from saferoom.he.vectors import decrypt_vector, encrypt_vector, pack_vector
from saferoom.he.workers import Workers, cores
from saferoom.protocols.bin_groups import count_plain
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums
from saferoom.protocols.label_counts import count_events

SCHEMES: tuple[Scheme, ...] = ("okamoto-uchiyama", "paillier")
RANDOMNESS: tuple[Randomness, ...] = ("full", "subgroup")
SIZES = (2048, 3072)
MANY, FEWER = 2000, 300
PARTIES = ("bank", "tax")
MINIMUMS = Minimums(rows=100, events=10)


def microseconds(work: Callable[[], Any], count: int) -> float:
    """Of one of the `count` things that a call does, after a call to make tables."""
    work()
    start = time.process_time()
    work()
    return (time.process_time() - start) / count * 1e6


def scheme(encryption: Encryption) -> tuple[PrivateKey, dict[str, float]]:
    """One key's costs, in microseconds."""
    start = time.process_time()
    key = generate_key(encryption)
    generated = time.process_time() - start
    plains, many = [1] * MANY, np.arange(100 * MANY)
    ciphertexts = key.encrypt_all(plains)
    products = products_for(key.public.modulus, len(many))
    numbers = numbers_of(products, ciphertexts)
    return key, {
        "generate_s": generated,
        "encrypt": microseconds(lambda: key.encrypt_all(plains), MANY),
        "add": microseconds(lambda: products.runs(numbers, many % MANY, many[100::100]), len(many)),
        "rerandomise": microseconds(lambda: key.public.rerandomised_all(ciphertexts[:FEWER]), FEWER),
        "decrypt": microseconds(lambda: key.decrypt_all(ciphertexts[:FEWER]), FEWER),
    }


def example(rows: int, columns: int, bins: int) -> tuple[np.ndarray[Any, Any], list[BinnedFeature]]:
    """Labels with 10 % events, and columns of equally frequent bins that go with them a little."""
    rng = np.random.default_rng(2026)
    risk = rng.normal(size=rows)
    labels = (risk + rng.normal(size=rows) > np.sqrt(2) * 1.2816).astype(np.int64)
    features = []
    for _ in range(columns):
        value = 0.3 * risk + rng.normal(size=rows)
        edges = np.quantile(value, np.arange(1, bins) / bins)
        features.append(BinnedFeature(np.searchsorted(edges, value), bins, bins))
    return labels, features


def tree(key: PrivateKey, rows: int, columns: list[np.ndarray[Any, Any]], bins: int) -> dict[str, float]:
    """Encrypt each row once; sums of all rows, then of the smaller nodes of four levels; pack, decrypt."""
    rng = np.random.default_rng(5)
    gradients = rng.integers(-(1 << 20), 1 << 20, rows).astype(object) << 38
    plains = (gradients + rng.integers(0, 1 << 18, rows).astype(object)).tolist()
    slots, place, public = Slots(75, key.public.plain_bits), rng.permutation(rows), key.public
    nodes = [rows // 2] + [rows // 5] * 2 + [rows // 10] * 4 + [rows // 20] * 8
    used: dict[str, float] = {}

    def timed(name: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        found = work()
        used[name] = used.get(name, 0.0) + time.process_time() - start
        return found

    with Workers(0) as label_holder, Workers(0) as feature_holder:
        kept = timed("sums", lambda: KeptRows(public, columns, [bins] * len(columns), feature_holder))
        encrypted = timed("encrypt", lambda: encrypt_vector(key, plains, label_holder))
        for start in range(0, rows, 1 << 14):
            timed("sums", lambda at=start: kept.add(encrypted[at : at + (1 << 14)]))
        for size in [rows, *nodes]:
            if size == rows:
                sums = timed("sums", kept.all)
            else:
                sums = timed("sums", lambda here=size: kept.of(place[:here].astype(np.int32)))
            left = [number for of_bins in sums for number in of_bins[:-1]]
            packed = timed(
                "pack", lambda sent=left: pack_vector(public, sent, slots, feature_holder, 1 << 74)
            )
            timed("decrypt", lambda back=packed: decrypt_vector(key, back, label_holder))
    return {**used, "processor_seconds": sum(used.values())}


def trees(keys: dict[str, PrivateKey], features: list[BinnedFeature], bins: int) -> dict[str, Any]:
    """One tree by each key; one more without the vectorised products."""
    columns = [feature.bins for feature in features]
    rows = len(columns[0])
    found: dict[str, Any] = {name: tree(key, rows, columns, bins) for name, key in keys.items()}
    name, key = next(iter(keys.items()))
    available, lanes_kernel.available = lanes_kernel.available, lambda: False  # type: ignore[assignment]
    found[f"{name}, by GMP alone"] = tree(key, rows, columns, bins)
    lanes_kernel.available = available
    return found


def processor_seconds() -> float:
    """Of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def label_counts(
    key: PrivateKey, labels: np.ndarray[Any, Any], features: list[BinnedFeature]
) -> tuple[float, float]:
    """Seconds, and processor seconds, of the whole protocol; ends with an error if the counts are wrong."""
    network = MemoryNetwork()

    def role(party: str) -> list[FeatureCounts]:
        session = Session(network.endpoint(party), PARTIES, timeout_s=3600)
        with Workers() as workers:
            return count_events(
                session,
                "bank",
                len(labels),
                MINIMUMS,
                labels=labels if party == "bank" else None,
                features=features if party == "tax" else (),
                encryption=key.public.encryption,
                key=key if party == "bank" else None,
                workers=workers,
            )

    start, used = time.perf_counter(), processor_seconds()
    found = run_together({party: lambda p=party: role(p) for party in PARTIES}, network)["tax"]
    seconds, used = time.perf_counter() - start, processor_seconds() - used
    for one, other in zip(found, count_plain(features, labels, MINIMUMS), strict=True):
        if not np.array_equal(one.events, other.events):
            raise SystemExit("the counts are wrong")
    return seconds, used


def loop_over_phe(
    bits: int, labels: np.ndarray[Any, Any], features: list[BinnedFeature], sample: int
) -> dict[str, float]:
    """Encrypt each label, add it into each column's bin, decrypt each bin: for all rows and columns."""
    public, private = phe.generate_paillier_keypair(n_length=bits)
    rows, columns = len(labels), len(features)
    start = time.process_time()
    encrypted = [public.encrypt(int(y)) for y in labels[:sample]]
    encrypt = (time.process_time() - start) / sample
    sums = [[public.encrypt(0)] * feature.count for feature in features]
    places = [feature.bins[:sample].tolist() for feature in features]
    start = time.process_time()
    for bins, its in zip(sums, places, strict=True):
        for number, place in zip(encrypted, its, strict=True):
            bins[place] = bins[place] + number
    add = (time.process_time() - start) / (sample * columns)
    start = time.process_time()
    for number in sums[0]:
        private.decrypt(number)
    decrypt = (time.process_time() - start) / features[0].count
    cells = sum(feature.count for feature in features)
    return {
        "encrypt_us": encrypt * 1e6,
        "add_us": add * 1e6,
        "decrypt_us": decrypt * 1e6,
        "seconds_scaled": encrypt * rows + add * rows * columns + decrypt * cells,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--bins", type=int, default=32)
    parser.add_argument("--sample", type=int, default=200)
    arguments = parser.parse_args()
    labels, features = example(arguments.rows, arguments.columns, arguments.bins)
    schemes, counts, keys = {}, {}, {}
    loops = {bits: loop_over_phe(bits, labels, features, arguments.sample) for bits in SIZES}
    for encryption in [Encryption(s, b, r) for s in SCHEMES for b in SIZES for r in RANDOMNESS]:
        name = f"{encryption.scheme} {encryption.bits} {encryption.randomness}"
        key, schemes[name] = scheme(encryption)
        keys[name] = key
        seconds, used = label_counts(key, labels, features)
        loop = loops[encryption.bits]["seconds_scaled"]
        counts[name] = {
            "seconds": seconds,
            "processor_seconds": used,
            "times_quicker_than_phe": loop / seconds,
            "times_less_processor_time_than_phe": loop / used,
        }
    size = {"rows": len(labels), "columns": len(features), "bins": arguments.bins}
    found = {
        "cores": cores(),
        "vectorised": lanes_kernel.available(),
        "processor_microseconds": schemes,
        "trees": trees(keys, features, arguments.bins),
        "label_counts": {**size, **counts},
        "loop_over_phe": {str(bits): loop for bits, loop in loops.items()},
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
