"""A session: the parties' conversation for one job, with every line that talks visible.

    send / receive   values to or from one endpoint
    broadcast / hear the same values to every other party, or to several of them
    open             masked shares are put together: all parties learn the masked value (uniform)
    reveal           shares are put together at one named party: a declared disclosure
    reveal_to_all    shares are put together at every party: a declared disclosure to each
    disclose         a plain value goes to one named party, or the same to several: a declared disclosure
    confirm          all compare digests of what was told to several of them; before each reveal by itself

Shares of words are put together by sums, packed bits by xor.

Both ends name the step; a mismatch names both labels. Sends never wait; receives wait with a deadline.
A disclosure is handed to `on_disclosure` *before* anything is sent: the node checks it against the
contract, writes it to the log, and raises to stop it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from saferoom.arrays import Words
from saferoom.channel.codec import decode, encode
from saferoom.channel.echo import Echo
from saferoom.channel.meter import Meter
from saferoom.channel.transport import Buffer, Transport
from saferoom.errors import PeerError, ShapeError, StepMismatchError, UsageError
from saferoom.sharing.values import (
    BitShare,
    Declared,
    Disclosed,
    MaskedBits,
    MaskedShare,
    Public,
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
        self._echo = Echo(self.me, self.parties)
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

    def broadcast(self, label: str, *values: Sendable, among: Sequence[str] | None = None) -> None:
        """Send the same values to every other party, or to those `among`. They `hear` it."""
        self._refuse_undeclared(label, values)
        self._tell(label, values, among)

    def receive(self, sender: str, label: str) -> list[NDArray[Any]]:
        """The tensors `sender` sent under the same label.

        Raises PeerTimeout, PeerError, StepMismatchError.
        """
        return self._receive(sender, label)[1]

    def hear(self, sender: str, label: str, among: Sequence[str] | None = None) -> list[NDArray[Any]]:
        """As `receive`, of what `sender` broadcasts: compared with what the others hear by `confirm`."""
        message, tensors = self._receive(sender, label)
        self._echo.note(sender, self.parties if among is None else among, self.step(label), [message])
        return tensors

    def _receive(self, sender: str, label: str) -> tuple[Buffer, list[NDArray[Any]]]:
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
        return message, tensors

    def receive_one(
        self, sender: str, label: str, shape: tuple[int, ...], dtype: Any = np.uint64
    ) -> NDArray[Any]:
        """Like `receive`, for exactly one tensor of a known shape and type; `-1` stands for any size."""
        return self._only(self.receive(sender, label), sender, label, shape, dtype)

    def hear_one(
        self,
        sender: str,
        label: str,
        shape: tuple[int, ...],
        dtype: Any = np.uint64,
        among: Sequence[str] | None = None,
    ) -> NDArray[Any]:
        """`hear`, likewise."""
        return self._only(self.hear(sender, label, among), sender, label, shape, dtype)

    def _only(
        self, tensors: list[NDArray[Any]], sender: str, label: str, shape: tuple[int, ...], dtype: Any
    ) -> NDArray[Any]:
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

    def confirm(self, label: str) -> None:
        """Make sure that what was told to several parties was the same at each, before step `label`.

        At most one round; 32 bytes for each party that there is, to each other one. Nothing is sent between
        two to whom nothing was told alike since, as where there are two parties in all.
        Raises PeerError naming who told different values, as far as it can be known.
        """
        due, step = self._echo.due, f"before {label}/echo"
        for peer in due:
            self._send((peer,), step, (Public(self._echo.digests(peer)),))
        heard = {peer: self.receive_one(peer, step, self._echo.shape, np.uint8) for peer in due}
        self._echo.compare(heard, self.step(step))

    def open(self, label: str, masked: MaskedShare | MaskedBits) -> Words:
        """Sum of all parties' masked shares, or xor of their masked bits, learnt by every party.

        One round; 8 bytes an element to each peer, or 4, or one bit.
        """
        if not isinstance(masked, MaskedShare | MaskedBits):
            raise ShapeError(
                "only masked shares are opened; a bare share is revealed under a contract", step=label
            )
        self._tell(label, (masked,))
        return self._put_together(label, masked.value, is_told_alike=True)

    def reveal(
        self, label: str, to: str, share: Share | BitShare, *, kind: str, shape: tuple[int, ...] | None = None
    ) -> Words | None:
        """What all parties' shares come to, learnt by `to` alone (None elsewhere): the disclosure `kind`.

        `shape` is what is declared, where that is not the share's: bits are packed. `confirm` comes first.
        """
        self.confirm(label)
        declared = share.value.shape if shape is None else shape
        self._declare(Disclosure(kind, to, declared, self.step(label)))
        if self.me != to:
            self._send((to,), label, (share,))
            return None
        return self._put_together(label, share.value, is_told_alike=False)

    def reveal_to_all(self, label: str, share: Share | BitShare, *, kind: str) -> Words:
        """What all parties' shares come to, learnt by every party: the disclosure `kind` to each of them.

        `confirm` comes first.
        """
        self.confirm(label)
        for party in self.parties:
            self._declare(Disclosure(kind, party, share.value.shape, self.step(label)))
        self._tell(label, (share,))
        return self._put_together(label, share.value, is_told_alike=True)

    def _put_together(self, label: str, own: Words, *, is_told_alike: bool) -> Words:
        total, take = own.copy(), self.hear_one if is_told_alike else self.receive_one
        add = np.bitwise_xor if own.dtype == np.uint8 else np.add
        for peer in self.peers:
            add(total, take(peer, label, own.shape, own.dtype), out=total)
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

    def disclose_to_peers(self, label: str, value: NDArray[Any], *, kind: str) -> None:
        """`disclose` the same value to every other party. They `hear` it."""
        for peer in self.peers:
            self._declare(Disclosure(kind, peer, value.shape, self.step(label)))
        self._tell(label, (Disclosed(value),))

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

    def _tell(
        self, label: str, values: Sequence[Sendable | Declared], among: Sequence[str] | None = None
    ) -> None:
        hearers = [party for party in (self.parties if among is None else among) if party != self.me]
        self._echo.note(self.me, hearers, self.step(label), self._send(hearers, label, values))

    def _send(
        self, receivers: Sequence[str], label: str, values: Sequence[Sendable | Declared]
    ) -> list[Buffer]:
        """Gives what was sent."""
        parts = encode(self.step(label), [value.value for value in values])
        size_bytes = sum(len(part) for part in parts)
        for to in receivers:
            self.meter.sent[to].add(size_bytes)
            self._has_spoken = True
            self._transport.send(to, parts)
        if self.me == self.helper:
            self._transport.wait_unsent_below(RUN_AHEAD_BYTES, self._timeout_s)
        return parts
