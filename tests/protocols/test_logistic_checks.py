"""Whether a fit has converged, and what is released, on shares: against plain numbers."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.channel.codec import decode
from saferoom.errors import PeerError
from saferoom.models.logistic.checks import MOST_MOVED, Checking, DealtChecking, deal_turns, mask_turns
from saferoom.models.logistic.passes import NONE_LOST, DealerSide, PartySide
from saferoom.models.logistic.plan import LogisticSettings, make_plan
from saferoom.models.logistic.scores import SCORE_BITS
from saferoom.models.logistic.train import RELEASED_BITS
from saferoom.models.logistic.whitening import Whitening
from saferoom.protocols.dealing import DealingPace
from saferoom.protocols.joint_columns import ColumnLayout
from saferoom.sharing.values import MaskedShare
from tests.logistic_room import play_logistic, synthetic
from tests.numeric_room import HELPER, Room, Shares

WIDTH, MOVE_BITS = 3, 40


def check(move, k, lost=0.0, turn=2.0, meddle=lambda session: None):
    """`move` (k·WIDTH,) of the weights, where a coefficient moves `turn` times as far."""
    shares = Shares()
    moves = shares.split(np.asarray(move), k, MOVE_BITS)
    losts = shares.split(np.array([lost]), k, NONE_LOST.frac_bits)
    layout = ColumnLayout({f"p{i}": WIDTH for i in range(k)})
    plan = make_plan(100, k * WIDTH, LogisticSettings())
    white = Whitening(np.zeros(WIDTH), turn * np.eye(WIDTH), np.zeros((WIDTH, WIDTH)), False)

    def party(session, randomness, index):
        side = PartySide(session, randomness, layout, plan)
        checking = Checking(side, mask_turns(side, white))
        session.meter.rounds = 0
        meddle(session)
        found = checking.holds(moves[index], losts[index]), checking.is_whole(losts[index])
        randomness.tell_pass()
        return found

    def dealer(dealer, session):
        side = DealerSide(session, dealer, layout, plan)
        pace = DealingPace(session)
        checking = DealtChecking(side, deal_turns(side), pace)
        checking.deal(lost=True)
        heard = checking.held(), checking.was_whole()
        pace.wait()
        pace.finish()
        heard_by_dealer.append(heard)

    heard_by_dealer = []
    played = Room().play(k, party, dealer)
    assert heard_by_dealer == [played.results[0]]
    assert len(set(played.results)) == 1
    return played


@pytest.mark.parametrize("k", [2, 3, 5])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("place", [0, 4, -1])
def test_the_largest_move_of_a_coefficient_decides(k, sign, place):
    move = np.zeros(k * WIDTH)
    move[place] = sign * MOST_MOVED * 0.45
    assert check(move, k).results[0] == (True, True)
    move[place] = sign * MOST_MOVED * 0.6
    assert check(move, k).results[0] == (False, True)
    move[place] = sign * 30
    assert check(move, k).results[0] == (False, True)


@pytest.mark.parametrize(("lost", "is_whole"), [(-0.1, True), (0.2, True), (0.4, False), (3.0, False)])
def test_a_direction_that_v_leaves_out_is_noticed(lost, is_whole):
    assert check(np.zeros(6), 2, lost).results[0] == (is_whole, is_whole)


def test_rounds_bytes_and_disclosures():
    """docs/protocols/logistic.md says how many rounds both bits take together."""
    played = check(np.zeros(9), 3)
    assert max(played.meters[f"p{i}"].rounds for i in range(3)) <= 17
    assert all(t.size_bytes < 2_500 for m in played.meters.values() for t in m.sent.values())
    assert {(d.kind, d.to, d.shape) for d in played.disclosures} == {
        ("converged", who, (1,)) for who in ("p0", "p1", "p2", HELPER)
    }


def test_numbers_of_another_shape_name_party_and_step():
    def meddle(session):
        true_open = session.open

        def lie(label, masked):
            is_compared = session.me == "p1" and session.step(label) == "limits/open"
            return true_open(label, MaskedShare(masked.value[:-1], 0) if is_compared else masked)

        session.open = lie

    with pytest.raises(PeerError) as error:
        check(np.zeros(6), 2, meddle=meddle)
    assert error.value.step == "limits/open"  # seen by both, each from the other
    assert error.value.party


def test_what_is_released_has_no_low_bits():
    """They would say where the shares' own low bits lie, and with them how openings were rounded."""
    blocks, labels = synthetic(400, [2, 3, 2])
    released = {}
    for sender, _, message in play_logistic(blocks, labels).played.messages:
        label, tensors = decode(message)
        if label.startswith("release/coefficients/") or label == "release/origin/reveal":
            released[sender, label] = tensors[0]
    assert len(released) == 2 * 4
    for (_, label), words in released.items():
        bits = SCORE_BITS if label.endswith("reveal") else MOVE_BITS
        assert not (words % 2 ** (bits - RELEASED_BITS)).any(), label
        assert (words >> np.uint64(bits - RELEASED_BITS)).any()
