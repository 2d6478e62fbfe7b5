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
    for peer in peers:
        s.send(peer, "key", Public(text))


def receive_key(s: Session, label_holder: str, encryption: Encryption) -> PublicKey:
    """Feature holder: the label holder's public key.

    Shapes:   -> the key.
    Rounds:   1.  Sends: nothing.
    Reveals:  nothing.
    Assumes:  as `receive_sums`.
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError if it is no key, or not of the encryption that was agreed.
    """
    text = s.receive_one(label_holder, "key", (-1,), np.uint8).tobytes()
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
        for peer in peers:
            s.send(peer, f"gradients/row={start}", encrypted)


class SplitSums:
    """Feature holder's end: one tree's encrypted rows, and the secret order of its candidates.

    `place` (training rows,) is each row's place among the summed ones.
    """

    def __init__(self, s: Session, label_holder: str, own: Candidates, summed: Mask, cipher: Cipher) -> None:
        self._s, self._holder, self._own, self._cipher = s, label_holder, own, cipher
        self._place = np.cumsum(summed, dtype=np.int32) - 1
        self._rows = int(summed.sum())
        self._columns = [feature.bins[summed] for feature in own.features]
        self._counts = [feature.count for feature in own.features]
        self.order = _secret_order(len(own))
        self._kept = KeptRows(cipher.key, self._columns, self._counts, cipher.workers)
        self._of_all: list[list[mpz]] = []
        s.send(label_holder, "candidates", Public(np.array([len(own)], dtype=np.uint64)))

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
                self._kept.add(Ciphertexts(s.receive_one(self._holder, label, shape, np.uint8)))
            self._of_all = self._kept.all()
        except PeerError as error:
            error.party, error.step = error.party or self._holder, error.step or s.step("gradients")
            raise

    def send_sums(self, label: str, asked: Sequence[tuple[I32 | None, Mask]]) -> None:
        """For each pair of nodes the sums of one of them, and which candidates are kept.

        Shapes:   asked: training rows of the node to be summed, None for all summed rows; kept (candidates,).
        Rounds:   0.
        Sends:    candidates/8 bytes a pair, and one ciphertext for as many kept candidates as it has slots.
        Reveals:  to the label holder `split_sums` (declared by the caller, once a tree): the sums of
                  gradients, hessians and events over the left side of each kept candidate, in an order that
                  is fixed for a tree, drawn anew for each, and secret.
        Assumes:  as `receive_sums`.
        Source:   docs/protocols/boosting.md.
        Raises:   UsageError, PeerError.
        """
        numbers: list[mpz] = []
        for rows, kept in asked:
            sums = self._of_all if rows is None else self._kept.of(self._place[rows])
            left = self._left_sums(sums)
            numbers += [left[candidate] for candidate in self.order.tolist() if kept[candidate]]
        flags = np.packbits(np.array([kept[self.order] for _, kept in asked], dtype=bool).reshape(-1))
        cipher = self._cipher
        packed = pack_vector(cipher.key, numbers, cipher.slots, cipher.workers, cipher.layout.offset)
        self._s.send(self._holder, label, Public(flags), packed)

    def _left_sums(self, sums: Sequence[Sequence[mpz]]) -> list[mpz]:
        """Ciphertexts of the sums over each candidate's left side, in natural order."""
        modulus, found = self._cipher.key.modulus, list[mpz]()
        for feature, bins in zip(self._own.features, sums, strict=True):
            if not feature.ordered:
                found += bins
                continue
            missing = bins[feature.ordered] if feature.count > feature.ordered else None
            left = mpz(1)
            for cut in range(feature.ordered if missing is not None else feature.ordered - 1):
                left = left * bins[cut] % modulus
                found.append(left)
                if missing is not None and cut < feature.ordered - 1:
                    found.append(left * missing % modulus)
        return found


def hear_candidates(s: Session, peer: str) -> int:
    """Label holder: how many candidates a feature holder brings to this tree.

    Shapes:   -> a number.
    Rounds:   1.  Sends: nothing.
    Reveals:  part of `split_sums`.
    Assumes:  as `receive_sums`.
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError.
    """
    count = int(s.receive_one(peer, "candidates", (1,), np.uint64)[0])
    if count > MOST_CANDIDATES:
        raise PeerError(f"more than {MOST_CANDIDATES} candidates", party=peer, step=s.step("candidates"))
    return count


def receive_sums(
    s: Session, peer: str, label: str, asked: tuple[int, int], key: PrivateKey, cipher: Cipher
) -> tuple[list[Mask], list[I64]]:
    """Label holder: for each pair which candidates are kept, and their sums, in the peer's secret order.

    asked: how many pairs of nodes, and of how many candidates.
    Shapes:   -> (candidates,) of each pair; (candidates, 3) of each, 0 where they are not kept.
    Rounds:   1.  Sends: nothing.
    Reveals:  as `SplitSums.send_sums`.
    Assumes:  semi-honest; the scheme's assumption (p-subgroup, or decisional composite residuosity).
    Source:   docs/protocols/boosting.md.
    Raises:   PeerError for what are no sums of our rows.
    """
    step, (pairs, candidates) = s.step(label), asked
    tensors = s.receive(peer, label)
    size = -(-pairs * candidates // 8)
    if [t.dtype for t in tensors] != [np.uint8] * 2 or tensors[0].shape != (size,) or tensors[1].ndim != 2:
        raise PeerError("expected flags and ciphertexts", party=peer, step=step)
    flags = np.unpackbits(tensors[0], count=pairs * candidates).astype(bool).reshape(pairs, candidates)
    slots, total = cipher.slots, int(flags.sum())
    if tensors[1].shape != (slots.plaintexts(total), key.public.width_bytes):
        raise PeerError("another number of sums than it says", party=peer, step=step)
    try:
        plains = decrypt_vector(key, Ciphertexts(tensors[1]), cipher.workers)
        values: list[int] = []
        for plain in plains:
            values += slots.unpack(plain, min(slots.per_plaintext, total - len(values)))
    except (PeerError, VerificationError) as error:
        raise PeerError("sums that are not those of our rows", party=peer, step=step) from error
    sums = np.zeros((pairs, candidates, 3), dtype=np.int64)
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
