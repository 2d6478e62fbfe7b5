"""A session: the parties' conversation for one job, with every line that talks visible.

    send / receive   values to or from one endpoint; broadcast: the same to every other party
    open             masked shares are put together: all parties learn the masked value (uniform)
    reveal           shares are put together at one named party: a declared disclosure
    reveal_to_all    shares are put together at every party: a declared disclosure to each
    disclose         a plain value goes to one named party: a declared disclosure

Shares of words are put together by sums, packed bits by xor.

Both ends name the step; a mismatch names both labels. Sends never wait; receives wait with a deadline.
A disclosure is handed to `on_disclosure` *before* anything is sent: the node checks it against the
contract, writes it to the log, and raises to stop it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Words
from saferoom.channel.codec import decode, encode
from saferoom.channel.transport import Transport
from saferoom.errors import PeerError, ShapeError, StepMismatchError, UsageError
from saferoom.sharing.values import (
    BitShare,
    Declared,
    Disclosed,
    MaskedBits,
    MaskedShare,
    Sendable,
    Share,
)

DEFAULT_TIMEOUT_S = 120.0
RUN_AHEAD_BYTES = 256 << 20
"""The helper, which only sends, stops while this much has not been taken."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """A value that `to` learns. `kind` is the name under which contracts declare it."""

    kind: str
    to: str
    shape: tuple[int, ...]
    step: str


@dataclass(slots=True)
class Traffic:
    """What one endpoint sent to or received from one peer."""

    messages: int = 0
    size_bytes: int = 0

    def add(self, size_bytes: int) -> None:
        self.messages += 1
        self.size_bytes += size_bytes


@dataclass(slots=True)
class Meter:
    """Rounds (receives that had to follow a send) and traffic per peer."""

    sent: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    received: dict[str, Traffic] = field(default_factory=lambda: defaultdict(Traffic))
    rounds: int = 0


class Session:
    """One endpoint's end of the conversation.

    `parties` is the public order of the parties, the same at every endpoint; `helper` the dealer and
    matcher's endpoint, or None. At the helper, `me == helper` and is not in `parties`.
    """

    def __init__(
        self,
        transport: Transport,
        parties: Sequence[str],
        *,
        helper: str | None = None,
        timeout_s: float = DEFAULT_TIMEOUT_S,
        on_disclosure: Callable[[Disclosure], None] | None = None,
    ) -> None:
        self.me = transport.me
        self.parties = tuple(parties)
        self.helper = helper
        self.meter = Meter()
        self._transport = transport
        self._timeout_s = timeout_s
        self._on_disclosure = on_disclosure
        self._prefix: list[str] = []
        self._has_spoken = False

    @property
    def peers(self) -> tuple[str, ...]:
        """The other parties, in the public order."""
        return tuple(p for p in self.parties if p != self.me)

    @property
    def helpers(self) -> tuple[str, ...]:
        """The endpoints that help the parties; none where they are on their own."""
        return (self.helper,) if self.helper else ()

    @property
    def others(self) -> tuple[str, ...]:
        """Every other endpoint: the other parties in the public order, then whoever helps."""
        return (*self.peers, *(helper for helper in self.helpers if helper != self.me))

    @property
    def is_first(self) -> bool:
        """Whether this is the party that adds public constants to shares."""
        return self.me == self.parties[0]

    @contextmanager
    def scope(self, name: str) -> Iterator[None]:
        """Prefix the labels of all steps inside: `with s.scope("train"), s.scope("pass=3"): ...`"""
        self._prefix.append(name)
        try:
            yield
        finally:
            self._prefix.pop()

    def step(self, label: str) -> str:
        return "/".join([*self._prefix, label])

    def send(self, to: str, label: str, *values: Sendable) -> None:
        self._refuse_undeclared(label, values)
        self._send((to,), label, values)

    def broadcast(self, label: str, *values: Sendable) -> None:
        """Send the same values to every other party."""
        self._refuse_undeclared(label, values)
        self._send(self.peers, label, values)

    def receive(self, sender: str, label: str) -> list[NDArray[Any]]:
        """The tensors `sender` sent under the same label.

        Raises PeerTimeout, PeerError, StepMismatchError.
        """
        step = self.step(label)
        try:
            message = self._transport.receive(sender, self._timeout_s)
            theirs, tensors = decode(message)
        except PeerError as error:
            error.party, error.step = error.party or sender, error.step or step
            raise
        if theirs != step:
            raise StepMismatchError(
                f"we are at {step!r}, {sender} is at {theirs!r}",
                party=sender,
                step=step,
                remedy="check that both nodes run the same SafeRoom version",
            )
        self.meter.received[sender].add(len(message))
        if self._has_spoken:
            self.meter.rounds += 1
            self._has_spoken = False
        return tensors

    def receive_one(
        self, sender: str, label: str, shape: tuple[int, ...], dtype: Any = np.uint64
    ) -> NDArray[Any]:
        """Like `receive`, for exactly one tensor of a known shape and type; `-1` stands for any size."""
        tensors = self.receive(sender, label)
        fits = (
            len(tensors) == 1
            and tensors[0].dtype == np.dtype(dtype)
            and len(tensors[0].shape) == len(shape)
            and all(want in (-1, got) for want, got in zip(shape, tensors[0].shape, strict=True))
        )
        if not fits:
            raise PeerError(
                f"expected one {np.dtype(dtype)} tensor of shape {shape}", party=sender, step=self.step(label)
            )
        return tensors[0]

    def open(self, label: str, masked: MaskedShare | MaskedBits) -> Words:
        """Sum of all parties' masked shares, or xor of their masked bits, learnt by every party.

        One round; 8 bytes an element to each peer, or 4, or one bit.
        """
        if not isinstance(masked, MaskedShare | MaskedBits):
            raise ShapeError(
                "only masked shares are opened; a bare share is revealed under a contract", step=label
            )
        self._send(self.peers, label, (masked,))
        return self._put_together(label, masked.value)

    def reveal(
        self, label: str, to: str, share: Share | BitShare, *, kind: str, shape: tuple[int, ...] | None = None
    ) -> Words | None:
        """What all parties' shares come to, learnt by `to` alone (None elsewhere): the disclosure `kind`.

        `shape` is what is declared, where that is not the share's: bits are packed.
        """
        declared = share.value.shape if shape is None else shape
        self._declare(Disclosure(kind, to, declared, self.step(label)))
        if self.me != to:
            self._send((to,), label, (share,))
            return None
        return self._put_together(label, share.value)

    def reveal_to_all(self, label: str, share: Share | BitShare, *, kind: str) -> Words:
        """What all parties' shares come to, learnt by every party: the disclosure `kind` to each of them."""
        for party in self.parties:
            self._declare(Disclosure(kind, party, share.value.shape, self.step(label)))
        self._send(self.peers, label, (share,))
        return self._put_together(label, share.value)

    def _put_together(self, label: str, own: Words) -> Words:
        total = own.copy()
        add = np.bitwise_xor if own.dtype == np.uint8 else np.add
        for peer in self.peers:
            add(total, self.receive_one(peer, label, own.shape, own.dtype), out=total)
        return total

    def disclose(
        self, label: str, to: str, value: NDArray[Any], *, kind: str, shape: tuple[int, ...] | None = None
    ) -> None:
        """Send a plain value to `to`: the declared disclosure `kind`. The receiver calls `receive`.

        `shape` is what is declared, where that is not the value's.
        """
        declared = value.shape if shape is None else shape
        self._declare(Disclosure(kind, to, declared, self.step(label)))
        self._send((to,), label, (Disclosed(value),))

    def declare(self, label: str, to: str, shape: tuple[int, ...], *, kind: str) -> None:
        """Announce the disclosure `kind`, carried by several messages, before the first of them is sent."""
        self._declare(Disclosure(kind, to, shape, self.step(label)))

    def _declare(self, disclosure: Disclosure) -> None:
        if self._on_disclosure is not None:
            self._on_disclosure(disclosure)

    def _refuse_undeclared(self, label: str, values: Sequence[Sendable]) -> None:
        if any(isinstance(value, Declared) for value in values):
            raise UsageError(
                "a bare share is sent by Session.reveal only, a disclosed value by Session.disclose only",
                step=self.step(label),
            )

    def _send(self, receivers: Sequence[str], label: str, values: Sequence[Sendable | Declared]) -> None:
        parts = encode(self.step(label), [value.value for value in values])
        size_bytes = sum(len(part) for part in parts)
        for to in receivers:
            self.meter.sent[to].add(size_bytes)
            self._has_spoken = True
            self._transport.send(to, parts)
        if self.me == self.helper:
            self._transport.wait_unsent_below(RUN_AHEAD_BYTES, self._timeout_s)
