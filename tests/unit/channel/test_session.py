"""Sessions in memory: opening, revealing, labels, deadlines, lies, digests."""

from __future__ import annotations

import numpy as np
import pytest

from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, ShapeError, StepMismatchError, UsageError
from saferoom.sharing.values import Disclosed, MaskedShare, Public, Share
from tests.waiting import LIMIT_S

NAMES = ("p0", "p1", "p2")


def ends(k=3, timeout_s=LIMIT_S, on_disclosure=None):
    network = MemoryNetwork()
    return network, {
        name: Session(network.endpoint(name), NAMES[:k], timeout_s=timeout_s, on_disclosure=on_disclosure)
        for name in NAMES[:k]
    }


def together(sessions, role, network=None):
    return run_together({n: (lambda s=s: role(s)) for n, s in sessions.items()}, network)


@pytest.mark.parametrize("k", [2, 3])
@pytest.mark.parametrize("dtype", [np.uint64, np.uint32])
def test_open_sums_for_everybody_in_one_round(k, dtype):
    _, sessions = ends(k)
    results = together(sessions, lambda s: s.open("x", MaskedShare(np.array([2**31 + 5, 1], dtype), 0)))
    bits = np.dtype(dtype).itemsize * 8
    for total in results.values():
        assert total.tolist() == [k * (2**31 + 5) % 2**bits, k]
    assert sessions["p0"].meter.rounds == 1


def test_others_are_the_parties_in_their_order_and_then_the_helper():
    network = MemoryNetwork()
    names = {me: Session(network.endpoint(me), NAMES, helper="helper").others for me in (*NAMES, "helper")}
    assert names["p1"] == ("p0", "p2", "helper")
    assert names["helper"] == NAMES
    assert Session(network.endpoint("p1"), NAMES).others == ("p0", "p2")


def test_open_refuses_bare_shares():
    _, sessions = ends(2)
    with pytest.raises(ShapeError):
        sessions["p0"].open("x", Share(np.zeros(2, np.uint64), 0))  # type: ignore[arg-type]


def test_reveal_reaches_one_party_and_is_declared_first():
    seen: list[Disclosure] = []
    _, sessions = ends(on_disclosure=seen.append)
    results = together(sessions, lambda s: s.reveal("x", "p1", Share(np.ones(4, np.uint64), 0), kind="score"))
    assert results["p0"] is None
    assert results["p2"] is None
    assert results["p1"].tolist() == [3] * 4
    assert {(d.kind, d.to, d.shape, d.step) for d in seen} == {("score", "p1", (4,), "x")}


def test_a_refused_disclosure_sends_nothing():
    def refuse(disclosure):
        raise RefusedError("not in the contract")

    _, sessions = ends(2, on_disclosure=refuse)
    with pytest.raises(RefusedError):
        sessions["p0"].disclose("x", "p1", np.zeros(1), kind="score")
    assert sessions["p0"].meter.sent == {}


@pytest.mark.parametrize("value", [Disclosed(np.zeros(1)), Share(np.zeros(1, np.uint64), 0)])
def test_what_needs_to_be_declared_cannot_be_sent_undeclared(value):
    _, sessions = ends(2)
    for send in (lambda v: sessions["p0"].send("p1", "x", v), lambda v: sessions["p0"].broadcast("x", v)):
        with pytest.raises(UsageError, match=r"reveal only.*disclose only"):
            send(value)
    assert sessions["p0"].meter.sent == {}


def test_a_step_mismatch_names_both_labels():
    _, sessions = ends(2)

    def role(s):
        with s.scope("train"), s.scope("pass=3"):
            s.send(s.peers[0], f"at {s.me}", Public(np.zeros(1)))
            return s.receive(s.peers[0], f"at {s.me}")

    with pytest.raises(StepMismatchError) as error:
        together(sessions, role)
    assert "train/pass=3/at p0" in str(error.value)
    assert "train/pass=3/at p1" in str(error.value)


@pytest.mark.parametrize("sent", [np.zeros(3, np.uint64), np.zeros((2, 2), np.uint64), np.zeros(2, np.int64)])
def test_a_wrong_shape_or_type_names_the_liar(sent):
    _, sessions = ends(2)
    sessions["p0"].send("p1", "x", Public(sent))
    with pytest.raises(PeerError) as error:
        sessions["p1"].receive_one("p0", "x", (2,))
    assert (error.value.party, error.value.step) == ("p0", "x")


def test_silence_is_a_timeout_that_names_party_and_step():
    _, sessions = ends(2, timeout_s=0.05)
    with pytest.raises(PeerTimeout) as error:
        sessions["p1"].receive_one("p0", "x", (2,))
    assert (error.value.party, error.value.step) == ("p0", "x")


def test_a_dead_peer_is_noticed_at_once():
    network, sessions = ends(2, timeout_s=LIMIT_S)

    def role(s):
        if s.me == "p0":
            raise RefusedError("p0 stops")
        with pytest.raises(PeerError):
            s.receive("p0", "x")

    with pytest.raises(RefusedError):
        together(sessions, role, network)
