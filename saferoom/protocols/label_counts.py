"""Events per bin, without showing labels to the feature holders or bins to the label holder.

    feature holder   merges its bins to the minimum of rows; says how many there are       slots
    label holder     sends a public key and every row's label encrypted, once for all      labels
    all              compare digests: the labels are the same at every feature holder      echo
    feature holder   adds up ciphertexts by its bins, leaves some rows of each column out,
                     shuffles the sums of all its columns, packs them, re-randomises them  sums
    label holder     decrypts counts that it cannot tell apart; says which are large enough  enough
    feature holder   puts those that are not together with neighbours that are not: some times  groups
    feature holder   says which groups' counts it asks for: all that are large enough but one a column  asked
    label holder     checks that they are, and gives their counts, and that of all rows    events

A WOE and the feature holder's own row counts determine the events of each bin, so returning WOE instead
would hide nothing; the feature holder computes it itself.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.channel.session import Session
from saferoom.errors import PeerError, RefusedError, SafeRoomError, ShapeError, UsageError, VerificationError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.generation import generate_key
from saferoom.he.key_files import public_from_json, public_to_json
from saferoom.he.keys import Encryption, PrivateKey, PublicKey
from saferoom.he.packing import Slots
from saferoom.he.vectors import BinSums, decrypt_vector, encrypt_vector, pack_vector
from saferoom.he.workers import Workers
from saferoom.protocols.bin_groups import PAIRINGS
from saferoom.protocols.bins import (
    BinnedFeature,
    FeatureCounts,
    Minimums,
    checked_labels,
    count_own,
    sums_by,
)
from saferoom.protocols.shuffled_bins import NOT_ASKED, ShuffledBins
from saferoom.sharing.values import Public

CHUNK_ROWS = 1 << 12
INLINE_ROWS = 1 << 10
"""Below this, starting processes takes longer than the work."""
MAX_SLOTS = 1 << 20
MAX_CLASSES = 64

Progress: TypeAlias = Callable[[int, int], None]
"""Told how many rows were encrypted or added up, and of how many."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class _LabelSide:
    """What the label holder works with: labels (rows, classes), its key, and processes."""

    table: NDArray[np.int64]
    key: PrivateKey
    workers: Workers

    @property
    def classes(self) -> int:
        return int(self.table.shape[1])


@dataclass(frozen=True, slots=True)
class _Terms:
    """What both ends know."""

    label_holder: str
    rows: int
    minimums: Minimums
    encryption: Encryption
    progress: Progress

    def slots(self, classes: int) -> Slots:
        """A count of each class, side by side, in every slot."""
        return Slots(classes * self.count_bits, self.encryption.plain_bits)

    @property
    def count_bits(self) -> int:
        return self.rows.bit_length()

    def chunks(self) -> Iterator[slice]:
        for start in range(0, self.rows, CHUNK_ROWS):
            yield slice(start, min(start + CHUNK_ROWS, self.rows))


@dataclass(slots=True, eq=False, repr=False)
class _PeerSlots:
    """A feature holder's slots at the label holder: counts (slots, classes), and what it put together."""

    counts: NDArray[np.int64]
    group: NDArray[np.integer[Any]]

    def by_group(self) -> NDArray[np.int64]:
        return sums_by(self.group, self.counts)

    def filled(self, told: NDArray[Any]) -> NDArray[Any]:
        """One for each slot, however many groups they make: those that are not needed are 0."""
        return np.concatenate([told, np.zeros((len(self.group) - len(told), *told.shape[1:]), told.dtype)])

    def join(self, s: Session, peer: str, label: str) -> None:
        """Hear what goes together. Raises PeerError if it is no partition, or parts what was together."""
        groups = s.receive_one(peer, label, self.group.shape, np.uint32)
        if not _from_zero(groups) or not _is_coarser(self.group, groups):
            raise PeerError(
                "groups that are not numbered from 0, or part earlier ones", party=peer, step=s.step(label)
            )
        self.group = groups


def count_events(
    s: Session,
    label_holder: str,
    rows: int,
    minimums: Minimums,
    *,
    labels: NDArray[Any] | None = None,
    features: Sequence[BinnedFeature] = (),
    encryption: Encryption | None = None,
    key: PrivateKey | None = None,
    workers: Workers | None = None,
    progress: Progress | None = None,
) -> list[FeatureCounts]:
    """The events in each bin of this party's own columns, in their order; all parties call it.

    `labels` are given at the label holder alone, `key` too if it is not to be a fresh one.

    The label holder counts its own bins as they are. `features` of others are bins of which those with too
    few rows or events are not told: `bin_groups.ColumnGroups`.

    Shapes:   labels (rows,) or (rows, classes) of 0 and 1; features of (rows,) bins each
              -> per feature: merged (bins,), rows (final,), events (final, classes), estimated (final,).
    Rounds:   3 + PAIRINGS at a feature holder, with three parties or more one more; 2 + PAIRINGS at the
              label holder.
    Sends:    label holder to each feature holder: a byte a party, rows ciphertexts, its public key, one byte
              a slot in each of 1 + PAIRINGS steps, 8 bytes a class for all rows and for each slot; back:
              8 bytes, packed ciphertexts, 4 bytes a slot in each of 1 + PAIRINGS steps. With three parties or
              more each two swap 32 bytes a party.
    Reveals:  to the label holder, `anonymous_events`: the events of every feature holder's bins of at least
              minimums.rows rows, in a secret order, but for some rows of the fullest bin of each column; to
              each feature holder, `bin_events`: which of them, and of those that it put together, hold
              minimums.events of every class, the events of those that do, and of all rows.
    Assumes:  semi-honest; the scheme's assumption (p-subgroup, or decisional composite residuosity).
    Source:   docs/protocols/label_counts.md; additive encryption: Okamoto, Uchiyama 1998, Paillier 1999.
    Raises:   UsageError, ShapeError, RefusedError (fewer rows, or events, in all than a bin must hold),
              PeerError (a peer that does not follow the protocol), PeerTimeout.
    """
    terms = _Terms(label_holder, rows, minimums, encryption or Encryption(), progress or _silent)
    if label_holder not in s.parties:
        raise UsageError("the label holder is no party of this session", party=label_holder)
    if (labels is not None) != (s.me == label_holder):
        raise UsageError("labels are given at the label holder and nowhere else", party=s.me)
    with _workers(workers, rows) as ready:
        if labels is None:
            return _at_feature_holder(s, terms, features, ready)
        return _at_label_holder(s, terms, labels, features, key, ready)


def _at_label_holder(
    s: Session,
    terms: _Terms,
    labels: NDArray[Any],
    features: Sequence[BinnedFeature],
    key: PrivateKey | None,
    workers: Workers,
) -> list[FeatureCounts]:
    table = _checked_table(labels, terms)
    own = count_own(features, table)
    slots = {peer: int(s.receive_one(peer, "slots", (1,), np.uint64)[0]) for peer in s.peers}
    for peer, count in slots.items():
        if count > MAX_SLOTS:
            raise PeerError(f"more than {MAX_SLOTS} bins", party=peer, step=s.step("slots"))
    counters = [peer for peer, count in slots.items() if count]
    s.broadcast("counters", Public(np.array([party in counters for party in s.parties])))
    if counters:
        side = _LabelSide(table, generate_key(terms.encryption) if key is None else key, workers)
        _send_labels(s, terms, counters, side)
    s.confirm("labels")
    if counters:
        counts = {peer: _receive_sums(s, terms, peer, slots[peer], side) for peer in counters}
        told = {peer: _PeerSlots(counts[peer], np.arange(slots[peer])) for peer in counters}
        for peer in counters:
            s.disclose("total", peer, table.sum(axis=0), kind="bin_events")
        for number in range(1 + PAIRINGS):
            _tell_enough(s, terms, told, number)
        events = {peer: _asked(s, terms, peer, told[peer]) for peer in counters}
        for peer in counters:
            s.disclose("events", peer, told[peer].filled(events[peer]), kind="bin_events")
    return own


def _at_feature_holder(
    s: Session, terms: _Terms, features: Sequence[BinnedFeature], workers: Workers
) -> list[FeatureCounts]:
    holder = terms.label_holder
    bins = ShuffledBins(features, terms.rows, terms.minimums)
    s.send(holder, "slots", Public(np.array([bins.slots], dtype=np.uint64)))
    counters = _hear_counters(s, terms, bins.slots)
    if not features:
        s.confirm("labels")
        return []
    key, classes = _receive_key(s, terms, counters)
    encrypted = _add_up(s, terms, key, counters, bins, workers)
    s.confirm("labels")
    s.declare("sums", holder, (bins.slots, classes), kind="anonymous_events")
    sums = bins.shuffled(encrypted)
    s.send(holder, "sums", pack_vector(key, sums, terms.slots(classes), workers))

    total = _total(s, terms, classes)
    for number in range(1 + PAIRINGS):
        _learn_enough(s, terms, bins, number)
    bins.settle(total)
    s.send(holder, "asked", Public(bins.asked()))
    s.declare("events", s.me, (bins.slots, classes), kind="bin_events")
    told = s.receive_one(holder, "events", (bins.slots, classes), np.int64)
    told = _used(s, terms, told, bins.shown, "events")
    try:
        counts = bins.finish(told, total)
    except ShapeError as error:
        raise PeerError(
            "counts that cannot be those of our bins", party=holder, step=s.step("events")
        ) from error
    _log.info("counted events in the bins of %d columns", len(counts))
    return counts


def _checked_table(labels: NDArray[Any], terms: _Terms) -> NDArray[np.int64]:
    table = checked_labels(labels)
    if len(table) != terms.rows or table.shape[1] > MAX_CLASSES:
        raise ShapeError(f"labels are ({terms.rows},) or ({terms.rows}, classes up to {MAX_CLASSES})")
    if (table.sum(axis=0) < terms.minimums.events).any():
        raise RefusedError(
            f"fewer events than the minimum of {terms.minimums.events} in all rows together",
            remedy="agree on a smaller minimum, or align more enterprises",
        )
    return table


def _send_labels(s: Session, terms: _Terms, counters: Sequence[str], side: _LabelSide) -> None:
    key, classes = side.key, side.classes
    if key.public.encryption != terms.encryption:
        raise UsageError(f"a key of {key.public.encryption} where {terms.encryption} was agreed")
    terms.slots(classes)  # refuses what does not fit, before anything is sent
    head = np.array([terms.rows, classes], dtype=np.uint64)
    text = np.frombuffer(public_to_json(key.public).encode(), dtype=np.uint8)
    s.broadcast("key", Public(head), Public(text), among=counters)
    places = [1 << (place * terms.count_bits) for place in range(classes)]
    for chunk in terms.chunks():
        plains = (side.table[chunk].astype(object) @ np.array(places, dtype=object)).tolist()
        encrypted = encrypt_vector(key, plains, side.workers)
        s.broadcast(f"labels/row={chunk.start}", encrypted, among=counters)
        terms.progress(chunk.stop, terms.rows)


def _hear_counters(s: Session, terms: _Terms, slots: int) -> list[str]:
    """Which feature holders count; this one, if it has anything to count."""
    told = s.hear_one(terms.label_holder, "counters", (len(s.parties),), np.bool_)
    counters = [party for party, counts in zip(s.parties, told.tolist(), strict=True) if counts]
    if (s.me in counters) != (slots > 0):
        raise PeerError(
            "it says of us that we count, or that we do not, and is wrong",
            party=terms.label_holder,
            step=s.step("counters"),
        )
    return counters


def _receive_key(s: Session, terms: _Terms, counters: Sequence[str]) -> tuple[PublicKey, int]:
    holder, step = terms.label_holder, s.step("key")
    tensors = s.hear(holder, "key", counters)
    if [t.dtype for t in tensors] != [np.uint64, np.uint8] or tensors[0].shape != (2,):
        raise PeerError("expected a header and a public key", party=holder, step=step)
    rows, classes = map(int, tensors[0])
    if rows != terms.rows or not 1 <= classes <= MAX_CLASSES:
        raise PeerError("it counts other rows, or too many classes", party=holder, step=step)
    try:
        key = public_from_json(tensors[1].tobytes().decode())
    except (SafeRoomError, UnicodeDecodeError) as error:
        raise PeerError("a public key that cannot be used", party=holder, step=step) from error
    if key.encryption != terms.encryption:
        raise PeerError(f"a key that is not of the agreed {terms.encryption}", party=holder, step=step)
    return key, classes


def _add_up(
    s: Session, terms: _Terms, key: PublicKey, counters: Sequence[str], bins: ShuffledBins, workers: Workers
) -> list[list[mpz]]:
    """The encrypted sums of all bins, column by column."""
    sums, holder = BinSums(key, bins.columns, bins.counts, workers), terms.label_holder
    try:
        for chunk in terms.chunks():
            shape = (chunk.stop - chunk.start, key.width_bytes)
            label = f"labels/row={chunk.start}"
            sums.add(Ciphertexts(s.hear_one(holder, label, shape, np.uint8, counters)))
            terms.progress(chunk.stop, terms.rows)
        return sums.finish()
    except PeerError as error:
        error.party, error.step = error.party or holder, error.step or s.step("labels")
        raise


def _receive_sums(s: Session, terms: _Terms, peer: str, slots: int, side: _LabelSide) -> NDArray[np.int64]:
    """A feature holder's counts: (slots, classes)."""
    key, classes = side.key, side.classes
    s.declare("sums", s.me, (slots, classes), kind="anonymous_events")
    layout = terms.slots(classes)
    shape = (layout.plaintexts(slots), key.public.width_bytes)
    packed = Ciphertexts(s.receive_one(peer, "sums", shape, np.uint8))
    single = Slots(terms.count_bits, layout.slot_bits)
    counts: list[list[int]] = []
    try:
        for plain in decrypt_vector(key, packed, side.workers):
            held = min(layout.per_plaintext, slots - len(counts))
            counts += [single.unpack(value, classes) for value in layout.unpack(plain, held)]
    except (PeerError, VerificationError) as error:
        raise PeerError("sums that are not those of our labels", party=peer, step=s.step("sums")) from error
    found = np.array(counts, dtype=np.int64)
    if (found > side.table.sum(axis=0)).any():
        raise PeerError("a sum that is larger than that of all labels", party=peer, step=s.step("sums"))
    return found


def _tell_enough(s: Session, terms: _Terms, told: Mapping[str, _PeerSlots], number: int) -> None:
    """Which groups of each feature holder's slots hold enough events; at first each slot is a group."""
    if number:
        for peer, slots in told.items():
            slots.join(s, peer, f"groups/pairing={number}")
    for peer, slots in told.items():
        enough = np.asarray(terms.minimums.hold(slots.by_group()), dtype=np.uint8)
        s.disclose(f"enough/pairing={number}", peer, slots.filled(enough), kind="bin_events")


def _learn_enough(s: Session, terms: _Terms, bins: ShuffledBins, number: int) -> None:
    """The feature holder's side of `_tell_enough`."""
    if number:
        bins.pair()
    groups, step = bins.groups(), f"enough/pairing={number}"
    if number:
        s.send(terms.label_holder, f"groups/pairing={number}", Public(groups))
    s.declare(step, s.me, (bins.slots,), kind="bin_events")
    told = s.receive_one(terms.label_holder, step, (bins.slots,), np.uint8)
    bins.learn(_used(s, terms, told, bins.shown, step))


def _used(s: Session, terms: _Terms, told: NDArray[Any], shown: int, label: str) -> NDArray[Any]:
    """Without what a message was filled up with."""
    if told[shown:].any():
        raise PeerError("more flags or counts than groups", party=terms.label_holder, step=s.step(label))
    return told[:shown]


def _asked(s: Session, terms: _Terms, peer: str, slots: _PeerSlots) -> NDArray[np.int64]:
    """The counts of the groups that a feature holder wants to know, none of them too small."""
    asked = s.receive_one(peer, "asked", slots.group.shape, np.uint32)
    wanted = asked != NOT_ASKED
    if not wanted.any():
        return np.zeros((0, slots.counts.shape[1]), dtype=np.int64)
    if not _from_zero(asked[wanted]) or not _is_coarser(slots.group, asked):
        raise PeerError("groups that are not those it made before", party=peer, step=s.step("asked"))
    events = sums_by(asked[wanted], slots.counts[wanted])
    if (events < terms.minimums.events).any():
        raise PeerError("it asks for a count below the minimum", party=peer, step=s.step("asked"))
    return events


def _from_zero(groups: NDArray[np.uint32]) -> bool:
    return np.array_equal(np.unique(groups), np.arange(len(np.unique(groups))))


def _is_coarser(before: NDArray[np.integer[Any]], after: NDArray[np.uint32]) -> bool:
    """Whether what was in one group `before` is in one group `after`."""
    pairs = np.unique(np.column_stack([before.astype(np.int64), after.astype(np.int64)]), axis=0)
    return len(pairs) == len(np.unique(before))


def _total(s: Session, terms: _Terms, classes: int) -> NDArray[np.int64]:
    """The events of all rows: (classes,)."""
    s.declare("total", s.me, (classes,), kind="bin_events")
    total = s.receive_one(terms.label_holder, "total", (classes,), np.int64)
    if (total < max(terms.minimums.events, 0)).any() or (total > terms.rows).any():
        raise PeerError("a total that cannot be", party=terms.label_holder, step=s.step("total"))
    return total


@contextmanager
def _workers(given: Workers | None, rows: int) -> Iterator[Workers]:
    if given is not None:
        yield given
        return
    with Workers(0 if rows < INLINE_ROWS else None) as own:
        yield own


def _silent(_done: int, _of: int) -> None:
    """Progress that nobody asked for."""
