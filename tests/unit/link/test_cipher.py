"""Frames of a flow: sealed once, bound to every authenticated byte of their header."""

from __future__ import annotations

import pytest

from saferoom.errors import UsageError, VerificationError
from saferoom.link.cipher import FlowKeys, FlowOpener, FlowSealer
from saferoom.link.frames import AUTHENTICATED_BYTES, HEADER_BYTES, Flag

KEY = bytes(range(32))


def sealer(key: bytes = KEY, session: int = 3) -> FlowSealer:
    return FlowSealer(key, bytes(16), session, "bank", "tax")


def test_a_sealed_frame_opens_whatever_its_acknowledgement() -> None:
    sealed = sealer().seal(b"secret", Flag.FIRST | Flag.LAST)
    for acknowledged in (0, 7, 2**64 - 1):
        frame = b"".join(sealed.parts(acknowledged))
        assert FlowOpener(KEY, 3, "bank").open(frame, sealed.sequence) == b"secret"
    assert sealed.size_bytes == len(frame)


def test_every_byte_but_the_acknowledgement_is_authenticated() -> None:
    frame = b"".join(sealer().seal(b"secret", Flag.FIRST).parts(5))
    opener = FlowOpener(KEY, 3, "bank")
    for at in (*range(AUTHENTICATED_BYTES), *range(HEADER_BYTES, len(frame))):
        changed = frame[:at] + bytes([frame[at] ^ 1]) + frame[at + 1 :]
        with pytest.raises(VerificationError) as caught:
            opener.open(changed, 0)
        assert caught.value.party == "bank"


def test_no_number_is_used_twice_and_equal_texts_look_different() -> None:
    one = sealer()
    frames = [one.seal(b"same text", Flag.NONE) for _ in range(50)]
    assert [frame.sequence for frame in frames] == list(range(50))
    assert len({frame.body for frame in frames}) == 50


def test_a_frame_does_not_open_in_another_session_or_place_or_with_another_key() -> None:
    frame = b"".join(sealer().seal(b"secret", Flag.NONE).parts(0))
    for opener, sequence in (
        (FlowOpener(KEY, 4, "bank"), 0),
        (FlowOpener(KEY, 3, "bank"), 1),
        (FlowOpener(bytes(32), 3, "bank"), 0),
    ):
        with pytest.raises(VerificationError):
            opener.open(frame, sequence)


def test_keys_of_the_wrong_size_or_one_key_for_both_directions_are_refused() -> None:
    for send, receive in ((KEY[:16], KEY), (KEY, b""), (KEY, KEY)):
        with pytest.raises(UsageError):
            FlowKeys(send, receive)


def test_keys_do_not_show_in_a_repr() -> None:
    assert repr(FlowKeys(KEY, bytes(32))) == "FlowKeys()"
