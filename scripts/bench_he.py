"""How quick homomorphic encryption is, and counting events by bin beside a plain loop over `phe` objects.

    python scripts/bench_he.py [--rows 100000] [--columns 40] [--bins 32] [--sample 200]

Prints one JSON object. Schemes: microseconds of processor time a ciphertext. Label counts: seconds from
the first message to the counts, label holder and feature holder on this machine without the link,
and the processor seconds of both; the loop over `phe` is one process, measured on a sample of rows and scaled
to all, in processor seconds, which on a quiet machine are its seconds.
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
from saferoom.he.generation import generate_key
from saferoom.he.keys import Encryption, PrivateKey, Randomness, Scheme
from saferoom.he.workers import Workers, cores
from saferoom.protocols.bins import BinnedFeature, FeatureCounts, Minimums, count_plain
from saferoom.protocols.label_counts import count_events

SCHEMES: tuple[Scheme, ...] = ("okamoto-uchiyama", "paillier")
RANDOMNESS: tuple[Randomness, ...] = ("full", "subgroup")
SIZES = (2048, 3072)
PARTIES = ("bank", "tax")
MINIMUMS = Minimums(rows=100, events=10)


def microseconds(work: Callable[[], Any], times: int) -> float:
    """Of one call, after one to build tables."""
    work()
    start = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - start) / times * 1e6


def scheme(encryption: Encryption) -> tuple[PrivateKey, dict[str, float]]:
    """One key's costs, in microseconds."""
    start = time.process_time()
    key = generate_key(encryption)
    generated = time.process_time() - start
    ciphertext, other, modulus = key.encrypt(1), key.encrypt(1), key.public.modulus
    return key, {
        "generate_s": generated,
        "encrypt": microseconds(lambda: key.encrypt(1), 500),
        "add": microseconds(lambda: ciphertext * other % modulus, 20_000),
        "rerandomise": microseconds(lambda: key.public.rerandomised(ciphertext), 20),
        "decrypt": microseconds(lambda: key.decrypt(ciphertext), 100),
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
    schemes, counts = {}, {}
    loops = {bits: loop_over_phe(bits, labels, features, arguments.sample) for bits in SIZES}
    for encryption in [Encryption(s, b, r) for s in SCHEMES for b in SIZES for r in RANDOMNESS]:
        name = f"{encryption.scheme} {encryption.bits} {encryption.randomness}"
        key, schemes[name] = scheme(encryption)
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
        "processor_microseconds": schemes,
        "label_counts": {**size, **counts},
        "loop_over_phe": {str(bits): loop for bits, loop in loops.items()},
    }
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
