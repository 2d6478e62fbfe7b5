"""The relay sees who speaks to whom and how much, and not a word of it; its keys open nothing."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from saferoom.channel.session import Session
from saferoom.errors import VerificationError
from saferoom.link.frames import AUTHENTICATED_BYTES, HEADER_BYTES, Kind, parse_header
from saferoom.link.relay.service import RelayService
from saferoom.link.sealing import open_job_key, seal_job_key
from tests.link_helpers import Authority, attach_all, running_room
from tests.waiting import LIMIT_S

NAMES = ["bank", "tax"]
SECRET = b"91350100M000100Y43 arrears 123456.78 "


@pytest.fixture
def captured(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """Every frame the relay passes on."""
    frames: list[bytes] = []
    honest = RelayService.route

    def tap(self: RelayService, sender: object, frame: bytes) -> None:
        frames.append(frame)
        honest(self, sender, frame)  # type: ignore[arg-type]

    monkeypatch.setattr(RelayService, "route", tap)
    yield frames


def talk(captured: list[bytes]) -> list[bytes]:
    """Send recognisable messages of all sizes both ways; the data frames that crossed the relay."""
    with running_room(Authority(), NAMES) as (_, daemons):
        links = {name: job.link for name, job in attach_all(daemons).items()}
        for repeats in (1, 3, 5000, 60_000):
            links["bank"].send("tax", [SECRET * repeats])
            links["tax"].send("bank", [SECRET * repeats])
        for me, peer in (("bank", "tax"), ("tax", "bank")):
            for repeats in (1, 3, 5000, 60_000):
                assert links[me].receive(peer, 20) == SECRET * repeats
        sessions = {name: Session(links[name], NAMES, timeout_s=LIMIT_S) for name in NAMES}
        sessions["bank"].disclose("train/pass=3/gradient", "tax", np.full(1000, 123456.78), kind="test")
        sessions["tax"].receive("bank", "train/pass=3/gradient")
    data = [frame for frame in captured if frame[1] == Kind.DATA]
    # A frame that was sent again is the same frame; a number must never carry two ciphertexts.
    sealed = {(frame[:AUTHENTICATED_BYTES], frame[HEADER_BYTES:]): frame for frame in data}
    numbers = {(header.sender, header.sequence) for header in map(parse_header, data)}
    assert len(numbers) == len(sealed)
    return list(sealed.values())


def test_no_plain_text_and_no_step_label_crosses_the_relay(captured: list[bytes]) -> None:
    frames = talk(captured)
    assert len(frames) >= 13
    assert sum(map(len, frames)) > 4_000_000
    needles = [
        SECRET[:12],
        SECRET[7:19],
        b"arrears",
        b"train/pass",
        b"gradient",
        np.float64(123456.78).tobytes(),
    ]
    for frame in captured:
        assert not any(needle in frame for needle in needles)


def test_bodies_look_like_noise(captured: list[bytes]) -> None:
    bodies = b"".join(frame[HEADER_BYTES:] for frame in talk(captured))
    counts = Counter(bodies)
    expected = len(bodies) / 256
    chi_squared = sum((counts[value] - expected) ** 2 / expected for value in range(256))
    # 255 degrees of freedom: mean 255, standard deviation 22.6. Repeated plain text would give millions.
    assert chi_squared < 255 + 8 * 22.6


def test_equal_messages_never_look_equal(captured: list[bytes]) -> None:
    bodies = [frame[HEADER_BYTES:] for frame in talk(captured)]
    assert len(set(bodies)) == len(bodies)
    assert len({body[:16] for body in bodies}) == len(bodies)


def test_what_the_relay_holds_opens_nothing(captured: list[bytes]) -> None:
    """It has a TLS key, the authority's key if it is the coordinator's, and all that passes."""
    frames = talk(captured)
    seen = frames[0]
    header = parse_header(seen)
    guesses = [os.urandom(32), bytes(32), seen[4:36], seen[:32], seen[-32:], header.job_id * 2]
    nonce = header.session.to_bytes(4, "big") + header.sequence.to_bytes(8, "big")
    for key in guesses:
        with pytest.raises(InvalidTag):
            AESGCM(key).decrypt(nonce, seen[HEADER_BYTES:], seen[:AUTHENTICATED_BYTES])


def test_the_job_key_envelopes_that_pass_the_coordinator_do_not_open_with_its_keys() -> None:
    bank, tax, coordinator = (X25519PrivateKey.generate() for _ in range(3))

    def public(key: X25519PrivateKey) -> bytes:
        return key.public_key().public_bytes_raw()

    context = b"contract, job, bank to tax"
    _, envelope = seal_job_key(bank.private_bytes_raw(), public(tax), context)
    with pytest.raises(VerificationError):
        open_job_key(coordinator.private_bytes_raw(), public(bank), envelope, context)
    _, forged = seal_job_key(coordinator.private_bytes_raw(), public(tax), context)
    with pytest.raises(VerificationError):
        open_job_key(tax.private_bytes_raw(), public(bank), forged, context)


def test_the_header_says_who_and_how_much_and_nothing_else(captured: list[bytes]) -> None:
    for frame in talk(captured):
        header = parse_header(frame)
        assert {header.sender, header.receiver} == set(NAMES)
        assert header.pack() == frame[:HEADER_BYTES]
        assert frame[3] == 0
