"""What nonces, dummies and compared digests cost in rounds and bytes, as documented."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from saferoom.channel.codec import decode
from saferoom.channel.echo import Echo
from saferoom.channel.session import Session
from saferoom.protocols import psi
from saferoom.protocols.dealing import deal_seeds, receive_seed
from saferoom.protocols.psi import align, match
from tests.logistic_room import Joint, play_logistic, synthetic
from tests.numeric_room import HELPER, Played, Room

SIZES = [2, 3, 5]


def nbytes(played: Played, label: str, receiver: str | None = None) -> Counter[tuple[str, str]]:
    """By flow, the bytes of tensors under a label."""
    found: Counter[tuple[str, str]] = Counter()
    for sender, to, message in played.messages:
        name, tensors = decode(message)
        if name.split("/")[-1] == label and receiver in (None, to):
            found[sender, to] += sum(tensor.nbytes for tensor in tensors)
    return found


@pytest.mark.parametrize("k", SIZES)
def test_a_nonce_is_32_bytes_to_all_in_one_round(k: int) -> None:
    played = Room().run(k, lambda session, _: receive_seed(session) and None, deal_seeds)
    nonces = nbytes(played, "nonce")
    assert set(nonces.values()) == {32}
    assert len(nonces) == k * k, "to each other party and to the dealer"
    assert set(nbytes(played, "seed").values()) == {32 + 32 * k}
    assert {played.meters[f"p{i}"].rounds for i in range(k)} == {1}
    assert played.meters[HELPER].rounds == 0


@pytest.mark.parametrize("k", SIZES)
def test_dummies_are_20_bytes_each_and_no_round(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def aligned() -> Played:
        def party(session: Session, index: int) -> Any:
            return align(session, [f"common{i}" for i in range(500)] + [f"own{index}-{i}" for i in range(50)])

        return Room().run(k, party, match)

    with_dummies = aligned()
    monkeypatch.setattr(psi, "DUMMIES", 0)
    without = aligned()
    for name in (f"p{i}" for i in range(k)):
        flows = [(name, HELPER, "tokens", 16), (HELPER, name, "positions", 4)]
        for sender, receiver, label, each in flows:
            more = nbytes(with_dummies, label)[sender, receiver] - nbytes(without, label)[sender, receiver]
            assert more == 128 * each
        assert with_dummies.meters[name].rounds == without.meters[name].rounds
    assert len(with_dummies.messages) == len(without.messages)


@pytest.mark.parametrize("k", SIZES)
def test_a_training_compares_four_times(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the bits that all learn, before coefficients and before scores; where there are two, never."""
    blocks, labels = synthetic(300, [2] * k)

    def trained() -> Joint:
        return play_logistic(blocks, labels, [block[:20] for block in blocks])

    with_echo = trained()
    monkeypatch.setattr(Echo, "note", lambda *args: None)
    without = trained()
    echoes, times = nbytes(with_echo.played, "echo"), 4 if k > 2 else 0
    assert not nbytes(without.played, "echo")
    assert len(with_echo.played.messages) - len(without.played.messages) == times * k * (k - 1)
    assert set(echoes.values()) <= {times * 32 * k}
    assert len(echoes) == (k * (k - 1) if times else 0)
    for name in (f"p{i}" for i in range(k)):
        more = with_echo.played.meters[name].rounds - without.played.meters[name].rounds
        assert 0 <= more <= times
    assert with_echo.played.meters[HELPER].rounds == without.played.meters[HELPER].rounds
