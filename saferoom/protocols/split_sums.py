"""Sums of encrypted gradients over candidate splits: the part of growing a tree that needs encryption.

    label holder    encrypts each summed row's gradient and hessian, once a tree        gradients
    feature holder  once a level, for each pair of siblings: adds up the smaller one by its bins, makes the
                    sums of the left sides of the candidates that are kept in the pair, puts them into its
                    secret order of this tree, packs and re-randomises them             sums
    label holder    decrypts them; the larger sibling's are the parent's less these

The label holder learns sums, not columns, cuts, or rows; the feature holder learns nothing here.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from gmpy2 import mpz
from numpy.typing import NDArray

from saferoom.arrays import I32, I64, Mask
from saferoom.channel.session import Session
from saferoom.errors import PeerError, SafeRoomError, UsageError, VerificationError
from saferoom.he.ciphertexts import Ciphertexts
from saferoom.he.kept_rows import KeptRows
from saferoom.he.key_files import public_from_json, public_to_json
from saferoom.he.keys import Encryption, PrivateKey, PublicKey
from saferoom.he.packing import Slots
from saferoom.he.vectors import decrypt_vector, encrypt_vector, pack_vector
from saferoom.he.workers import Workers
from saferoom.protocols.candidates import Candidates
from saferoom.protocols.split_layout import SumLayout
from saferoom.sharing.values import Public

CHUNK_ROWS = 1 << 12
MOST_CANDIDATES = 1 << 20


@dataclass(frozen=True, slots=True)
class Cipher:
    """What both ends of one flow of sums know: the layout of a slot, the key, and the processes that work."""

    layout: SumLayout
    key: PublicKey
    workers: Workers

    @property
    def slots(self) -> Slots:
        return Slots(self.layout.slot_bits, self.key.plain_bits)


@dataclass(frozen=True, slots=True)
class SumsShape:
    """What one message of sums is about: `pairs` of nodes, of at most `most`, each with so many candidates.

    `most` and `candidates` are bounds that everybody knows; messages are filled up to them.
    """

    pairs: int
    most: int
    candidates: int

    @property
    def flag_bytes(self) -> int:
        return -(-self.most * self.candidates // 8)

    def plaintexts(self, slots: Slots) -> int:
        return slots.plaintexts(self.most * self.candidates)


def send_key(s: Session, peers: Sequence[str], key: PrivateKey) -> None:
    """Label holder: the public key, once a job.

    Shapes:   -> nothing.
    Rounds:   0.  Sends: the key, about 2 KB, to each feature holder.
    Reveals:  nothing.
    Assumes:  as `receive_sums`.
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError.
    """
    text = np.frombuffer(public_to_json(key.public).encode(), dtype=np.uint8)
    s.broadcast("key", Public(text), among=peers)


def receive_key(s: Session, label_holder: str, encryption: Encryption) -> PublicKey:
    """Feature holder: the label holder's public key.

    Shapes:   -> the key.
    Rounds:   1.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `receive_sums`.
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError if it is no key, or not of the encryption that was agreed.
    """
    text = s.hear_one(label_holder, "key", (-1,), np.uint8).tobytes()
    try:
        key = public_from_json(text.decode())
    except (SafeRoomError, UnicodeDecodeError) as error:
        raise PeerError("a public key that cannot be used", party=label_holder, step=s.step("key")) from error
    if key.encryption != encryption:
        raise PeerError(
            f"a key that is not of the agreed {encryption}", party=label_holder, step=s.step("key")
        )
    return key


def send_gradients(s: Session, peers: Sequence[str], rows: I64, key: PrivateKey, cipher: Cipher) -> None:
    """Label holder: encrypt and send what a tree sums up.

    Shapes:   rows (n, 3) gradients, hessians, events of the summed rows, in fixed point.
    Rounds:   0.
    Sends:    n ciphertexts to each feature holder.
    Reveals:  nothing.
    Assumes:  as `receive_sums`.
    Source:   Cheng et al. 2021 (SecureBoost); packing: Chen et al. 2021 (SecureBoost+);
              docs/protocols/boosting.md.
    Raises:   UsageError, PeerError.
    """
    for start in _chunks(len(rows)):
        encrypted = encrypt_vector(key, cipher.layout.pack(rows[start : start + CHUNK_ROWS]), cipher.workers)
        s.broadcast(f"gradients/row={start}", encrypted, among=peers)


class SplitSums:
    """Feature holder's end: one tree's encrypted rows, and the secret order of its candidates.

    `order`: the candidate at each of `places` places, of which everybody knows how many there are; those
    from `len(own)` on are none. Raises UsageError if there are more candidates than places.
    """

    def __init__(
        self, s: Session, label_holder: str, own: Candidates, places: int, summed: Mask, cipher: Cipher
    ) -> None:
        if len(own) > places:
            raise UsageError("columns with more bins than were agreed, or more columns", party=s.me)
        self._s, self._holder, self._own, self._cipher = s, label_holder, own, cipher
        self._place = np.cumsum(summed, dtype=np.int32) - 1  # of each training row among the summed ones
        self._rows = int(summed.sum())
        self._columns = [feature.bins[summed] for feature in own.features]
        self._counts = [feature.count for feature in own.features]
        self.order = _secret_order(places)
        self._kept = KeptRows(cipher.key, self._columns, self._counts, cipher.workers)
        self._of_all: list[list[mpz]] = []

    def receive_gradients(self) -> None:
        """Take the rows of this tree, and add all of them up as they come.

        Shapes:   -> nothing.
        Rounds:   1.  Sends: nothing.
        Reveals:  nothing: they are encrypted under the label holder's key.
        Assumes:  as `receive_sums`.
        Source:   as `send_gradients`.
        Raises:   PeerError naming the label holder for what are no ciphertexts under its key.
        """
        s, width = self._s, self._cipher.key.width_bytes
        try:
            for start in _chunks(self._rows):
                shape, label = (min(CHUNK_ROWS, self._rows - start), width), f"gradients/row={start}"
                self._kept.add(Ciphertexts(s.hear_one(self._holder, label, shape, np.uint8)))
            self._of_all = self._kept.all()
        except PeerError as error:
            error.party, error.step = error.party or self._holder, error.step or s.step("gradients")
            raise

    def send_sums(self, label: str, asked: Sequence[tuple[I32 | None, Mask]], most: int) -> None:
        """For each pair of nodes the sums of one of them, and which candidates are kept.

        Shapes:   asked: training rows of the node to be summed, None for all summed rows; kept (candidates,).
                  `most` pairs may be asked about.
        Rounds:   0.
        Sends:    as if all of `most` pairs were asked about, and all places kept: places/8 bytes a pair, and
                  a ciphertext for as many of them as it has slots. What is not needed is zeros.
        Reveals:  to the label holder `split_sums` (declared by the caller, once a tree): the sums of
                  gradients, hessians and events over the left side of each kept candidate, in an order that
                  is fixed for a tree, drawn anew for each, and secret.
        Assumes:  as `receive_sums`.
        Source:   docs/protocols/boosting.md.
        Raises:   UsageError, PeerError.
        """
        shape = SumsShape(len(asked), most, len(self.order))
        flags = np.zeros((most, len(self.order)), dtype=bool)
        numbers: list[mpz] = []
        for of_pair, (rows, kept) in zip(flags, asked, strict=False):
            sums = self._of_all if rows is None else self._kept.of(self._place[rows])
            left = self._left_sums(sums)
            of_pair[:] = np.append(kept, np.zeros(len(of_pair) - len(kept), dtype=bool))[self.order]
            numbers += [left[candidate] for candidate in self.order[of_pair].tolist()]
        cipher = self._cipher
        packed = pack_vector(cipher.key, numbers, cipher.slots, cipher.workers, cipher.layout.offset)
        filled = np.zeros((shape.plaintexts(cipher.slots), cipher.key.width_bytes), dtype=np.uint8)
        filled[: len(packed)] = packed.value
        self._s.send(self._holder, label, Public(np.packbits(flags)), Ciphertexts(filled))

    def _left_sums(self, sums: Sequence[Sequence[mpz]]) -> list[mpz]:
        """Ciphertexts of the sums over each candidate's left side, in natural order."""
        modulus, found = self._cipher.key.modulus, list[mpz]()
        for (feature, cuts, missing_left), bins in zip(self._own.by_column(), sums, strict=True):
            if not feature.ordered:
                found += [bins[level] for level in cuts.tolist()]
                continue
            left = list(accumulate(bins[: feature.ordered], lambda a, b: a * b % modulus))
            for cut, with_missing in zip(cuts.tolist(), missing_left.tolist(), strict=True):
                found.append(left[cut] * bins[feature.ordered] % modulus if with_missing else left[cut])
        return found


def receive_sums(
    s: Session, peer: str, label: str, asked: SumsShape, key: PrivateKey, cipher: Cipher
) -> tuple[list[Mask], list[I64]]:
    """Label holder: for each pair which candidates are kept, and their sums, in the peer's secret order.

    Shapes:   -> (candidates,) of each pair; (candidates, 3) of each, 0 where they are not kept.
    Rounds:   1.  Sends: nothing.
    Reveals:  as `SplitSums.send_sums`.
    Assumes:  semi-honest; the scheme's assumption (p-subgroup, or decisional composite residuosity).
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError for what are no sums of our rows.
    """
    step, slots = s.step(label), cipher.slots
    tensors = s.receive(peer, label)
    shapes = [(asked.flag_bytes,), (asked.plaintexts(slots), key.public.width_bytes)]
    if [t.shape for t in tensors] != shapes or any(t.dtype != np.uint8 for t in tensors):
        raise PeerError("expected flags and ciphertexts", party=peer, step=step)
    bits = np.unpackbits(tensors[0], count=asked.most * asked.candidates).astype(bool)
    flags, none = np.split(bits.reshape(asked.most, asked.candidates), [asked.pairs])
    total = int(flags.sum())
    sent, rest = np.split(tensors[1], [slots.plaintexts(total)])
    if none.any() or rest.any():
        raise PeerError("another number of sums than it says", party=peer, step=step)
    try:
        plains = decrypt_vector(key, Ciphertexts(sent), cipher.workers)
        values: list[int] = []
        for plain in plains:
            values += slots.unpack(plain, min(slots.per_plaintext, total - len(values)))
    except (PeerError, VerificationError) as error:
        raise PeerError("sums that are not those of our rows", party=peer, step=step) from error
    sums = np.zeros((*flags.shape, 3), dtype=np.int64)
    sums[flags] = cipher.layout.unpack(values)
    return list(flags), list(sums)


def _chunks(rows: int) -> Iterator[int]:
    return iter(range(0, rows, CHUNK_ROWS))


def _secret_order(count: int) -> NDArray[np.int64]:
    """A permutation that only this party knows, drawn with the operating system's randomness."""
    if count > MOST_CANDIDATES:
        raise UsageError(f"more than {MOST_CANDIDATES} candidates", remedy="use fewer bins")
    order = list(range(count))
    secrets.SystemRandom().shuffle(order)
    return np.array(order, dtype=np.int64)
