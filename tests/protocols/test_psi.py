"""Assisted alignment: right rows in one order, for any number of parties; refusals, lies, deaths; traffic."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.channel.codec import encode
from saferoom.channel.memory import MemoryNetwork, run_together
from saferoom.channel.session import Disclosure, Session
from saferoom.errors import PeerError, PeerTimeout, RefusedError, SafeRoomError, UsageError
from saferoom.protocols import psi
from saferoom.protocols.psi import DUMMIES, Query, align, match, tokens_of
from saferoom.sharing.values import Public, Seed, Tokens
from tests.property import examples
from tests.waiting import LIMIT_S

NAMES = ("bank", "tax", "power", "water", "gas", "telecom", "rail", "post")
HELPER = "helper"


def sessions(count: int, network: MemoryNetwork, **options: Any) -> dict[str, Session]:
    parties = NAMES[:count]
    return {
        name: Session(network.endpoint(name), parties, helper=HELPER, **{"timeout_s": LIMIT_S, **options})
        for name in (*parties, HELPER)
    }


def run_all(sets: list[Any], minimum_rows: int = 1) -> tuple[dict[str, Any], dict[str, Session]]:
    network = MemoryNetwork()
    ends = sessions(len(sets), network)
    roles: dict[str, Callable[[], Any]] = {
        name: lambda s=ends[name], ids=ids: align(s, ids, minimum_rows=minimum_rows)
        for name, ids in zip(NAMES, sets, strict=False)
    }
    roles[HELPER] = lambda: match(ends[HELPER], minimum_rows=minimum_rows)
    return run_together(roles, network), ends


def outcomes(
    sets: list[Any],
    replace: dict[str, Callable[[Session], Any]],
    minimum_rows: int = 1,
    timeout_s: float = LIMIT_S,
) -> dict[str, Any]:
    """Like run_all, but every endpoint ends in its result or its error; `replace` swaps in liars."""
    network = MemoryNetwork()
    ends = sessions(len(sets), network, timeout_s=timeout_s)

    def guarded(role: Callable[[], Any], name: str) -> Any:
        try:
            return role()
        except SafeRoomError as error:
            network.close(name, [other for other in ends if other != name])
            return error

    honest: dict[str, Callable[[Session], Any]] = {
        name: lambda s, ids=ids: align(s, ids, minimum_rows=minimum_rows)
        for name, ids in zip(NAMES, sets, strict=False)
    }
    honest[HELPER] = lambda s: match(s, minimum_rows=minimum_rows)
    roles = {
        name: lambda name=name: guarded(lambda: replace.get(name, honest[name])(ends[name]), name)
        for name in ends
    }
    return run_together(roles)


@pytest.mark.parametrize("count", [2, 3, 4, 8])
def test_every_party_finds_the_same_enterprises_in_the_same_order(count: int) -> None:
    rng = np.random.default_rng(count)
    universe = [f"91510100MA{i:07d}X" for i in range(400)]
    sets = [[universe[i] for i in rng.permutation(400)[:380]] for _ in range(count)]
    results, _ = run_all(sets)
    lists = [[ids[row] for row in results[name]] for name, ids in zip(NAMES, sets, strict=False)]
    assert all(aligned == lists[0] for aligned in lists)
    assert sorted(lists[0]) == sorted(set.intersection(*map(set, sets)))
    assert results[HELPER] == len(lists[0])


@examples(40)
@given(
    st.lists(
        st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=30, unique=True),
        min_size=2,
        max_size=4,
    )
)
def test_opaque_ids_of_any_text_and_length(sets: list[list[str]]) -> None:
    sets = [[*ids, "\x01common"] for ids in ({i for i in ids if i != "\x01common"} for ids in sets)]
    results, _ = run_all(sets)
    found = [{ids[row] for row in results[name]} for name, ids in zip(NAMES, sets, strict=False)]
    assert all(one == set.intersection(*map(set, sets)) for one in found)


def test_text_bytes_and_fixed_width_arrays_of_one_id_agree() -> None:
    key = bytes(32)
    ids = ["91510100MA6000001X", "企业甲", "a"]
    encoded = [i.encode() for i in ids]
    expected = tokens_of(ids, key).tobytes()
    assert tokens_of(encoded, key).tobytes() == expected
    assert tokens_of(np.array(encoded), key).tobytes() == expected
    assert tokens_of(np.array(ids), key).tobytes() == expected
    assert tokens_of(np.array(ids, dtype=object), key).tobytes() == expected


def test_more_ids_than_one_hashing_batch() -> None:
    ids = np.array([b"%018d" % i for i in range(140_000)])
    other = ids[::-1][:70_000]
    results, _ = run_all([ids, other])
    assert len(results["bank"]) == 70_000
    assert np.array_equal(ids[results["bank"]], other[results["tax"]])


@pytest.mark.parametrize("ties", [False, True], ids=["first halves differ", "first halves tie"])
def test_order_and_places_are_those_of_the_whole_tokens(ties: bool) -> None:
    raw = np.random.default_rng(7).integers(0, 256, (1000, 16), dtype=np.uint8)
    if ties:
        raw[:500, :8] = raw[500:, :8]
    tokens = raw.view("S16").ravel()
    order = psi._order(tokens)
    np.testing.assert_array_equal(order, np.argsort(tokens))
    known, wanted = tokens[order][::2], tokens[order][::4]
    np.testing.assert_array_equal(psi._places(known, wanted), np.arange(0, 500, 2))
    assert np.array_equal(psi.intersect([known, tokens[order][::3]]), tokens[order][::6])


def test_tokens_that_differ_only_in_their_last_zero_bytes_are_kept_apart() -> None:
    network = MemoryNetwork()
    ends = sessions(2, network)
    dummies = psi.dummy_tokens(bytes(32)).view(np.uint8).reshape(-1, 16)
    raw = np.concatenate(
        [np.zeros((3, 16), dtype=np.uint8), dummies[np.argsort(psi.dummy_tokens(bytes(32)))]]
    )
    raw[1, 15], raw[2, 14] = 1, 1

    def party(rows: list[int]) -> Callable[[str], Any]:
        def role(name: str) -> Any:
            s = ends[name]
            s.send(HELPER, "size", Public(np.array([len(rows)], dtype=np.uint64)))
            s.send(HELPER, "tokens", Tokens(raw[[*rows, *range(3, len(raw))]]))
            s.receive(HELPER, "verdict")
            return s.receive(HELPER, "positions")[0][:-DUMMIES].tolist()

        return role

    results = run_together(
        {
            "bank": lambda: party([0, 1, 2])("bank"),
            "tax": lambda: party([0, 2])("tax"),
            HELPER: lambda: match(ends[HELPER]),
        },
        network,
    )
    assert results == {"bank": [0, 2], "tax": [0, 1], HELPER: 2}


@pytest.mark.parametrize("count", [2, 3, 4])
def test_rounds_and_bytes_are_those_of_the_docstring(count: int) -> None:
    n = 100
    sets = [[f"id{i}" for i in range(n)] for _ in range(count)]
    _, ends = run_all(sets)

    def overhead(label: str, shape: tuple[int, ...], dtype: str = "u1") -> int:
        tensor = np.zeros(shape, dtype=dtype)
        return sum(len(part) for part in encode(label, [tensor])) - tensor.nbytes

    to_helper = 16 * (n + DUMMIES) + 8 + overhead("size", (1,), "u8") + overhead("tokens", (n + DUMMIES, 16))
    for name in NAMES[:count]:
        meter = ends[name].meter
        assert meter.rounds == 2
        assert meter.sent[HELPER].size_bytes == to_helper
        key = 32 + overhead("key", (32,)) if name == "bank" else 0
        for peer in ends[name].peers:
            assert meter.sent[peer].size_bytes == 32 + overhead("digest", (32,)) + key
        sent = ends[HELPER].meter.sent[name].size_bytes
        positions = 4 * (n + DUMMIES) + overhead("positions", (n + DUMMIES,), "u4")
        assert sent == 1 + overhead("verdict", (1,)) + positions
    assert ends[HELPER].meter.rounds == 0


def test_below_the_minimum_nobody_gets_a_position() -> None:
    sets = [["a", "b", "c"], ["b", "c", "d"], ["c", "b", "e"]]
    ended = outcomes(sets, {}, minimum_rows=3)
    assert all(isinstance(error, RefusedError) for error in ended.values())
    results, _ = run_all(sets, minimum_rows=2)
    assert len(results["bank"]) == 2


def test_below_the_minimum_the_helper_sends_one_byte_and_no_more() -> None:
    sent: list[tuple[str, str, bytes]] = []
    network = MemoryNetwork(tap=lambda *message: sent.append(message))
    ends = sessions(2, network)
    with pytest.raises(RefusedError, match="nothing was released"):
        run_together(
            {
                "bank": lambda: align(ends["bank"], ["a", "b"], minimum_rows=2),
                "tax": lambda: align(ends["tax"], ["a", "c"], minimum_rows=2),
                HELPER: lambda: match(ends[HELPER], minimum_rows=2),
            },
            network,
        )
    from_helper = [message for sender, _, message in sent if sender == HELPER]
    assert len(from_helper) == 2
    assert all(b"positions" not in message for message in from_helper)


ASKED = [["a", "b", "c"], ["b", "c", "d"], ["c", "b", "e"]]


def asking(rows: int, bank: Callable[[Session], Any] | None = None) -> tuple[dict[str, Any], list[Any]]:
    """What comes of a list of the bank's, granted for `rows`; and what the helper said to whom."""
    query, sent = Query("bank", rows), []
    network = MemoryNetwork(tap=lambda *message: sent.append(message))
    ends = sessions(3, network)

    def role(name: str) -> Any:
        try:
            if name == HELPER:
                return match(ends[HELPER], query=query)
            if name == "bank" and bank is not None:
                return bank(ends["bank"])
            return align(ends[name], ASKED[NAMES.index(name)], query=query)
        except SafeRoomError as error:
            network.close(name, [other for other in ends if other != name])
            return error

    ended = run_together({name: partial(role, name) for name in ends})
    return ended, [message for sender, _, message in sent if sender == HELPER]


def test_a_list_of_as_many_enterprises_as_were_asked_for_is_aligned() -> None:
    ended, _ = asking(3)
    assert {len(ended[name]) for name in NAMES[:3]} == {2}


def test_a_list_longer_than_was_asked_for_is_refused_before_anybody_learns_who_is_held() -> None:
    """Whatever program the bank runs: the helper hears the size first, and says nothing more."""
    honest, said = asking(2)
    assert isinstance(honest["bank"], RefusedError)
    assert "more than the 2 that the job asks for" in honest["bank"].message
    assert not said
    ended, said = asking(2, bank=lambda s: align(s, ASKED[0]))
    assert isinstance(ended[HELPER], RefusedError)
    assert ended[HELPER].party == "bank"
    assert not said


def test_a_helper_that_lets_more_pass_than_was_asked_for_is_found_out() -> None:
    query = Query("bank", 1)
    found = outcomes(
        [["a", "b"], ["a", "b"]], {HELPER: match, "tax": lambda s: align(s, ["a", "b"], query=query)}
    )
    assert isinstance(found["tax"], RefusedError)
    assert found["tax"].party == HELPER


def test_what_is_declared_of_a_query_is_no_longer_than_it() -> None:
    declared: list[int] = []
    network = MemoryNetwork()
    ends = sessions(2, network, on_disclosure=lambda d: declared.append(d.shape[0]))
    query = Query("bank", 1)
    run_together(
        {
            "bank": lambda: align(ends["bank"], ["a"], query=query),
            "tax": lambda: align(ends["tax"], list("abcdefgh"), query=query),
            HELPER: lambda: match(ends[HELPER], query=query),
        },
        network,
    )
    assert set(declared) == {1}


def test_no_overlap_says_so_everywhere() -> None:
    ended = outcomes([["a"], ["b"]], {})
    for error in ended.values():
        assert isinstance(error, UsageError)
        assert "in common" in str(error)


@pytest.mark.parametrize(
    ("ids", "words"),
    [(["a", "b", "a"], "twice"), ([], "1 to"), ([1, 2], "neither text nor bytes"), ([None], "neither")],
)
def test_ids_that_cannot_be_aligned(ids: Any, words: str) -> None:
    ended = outcomes([ids, ["a", "b"]], {})
    assert isinstance(ended["bank"], UsageError)
    assert words in str(ended["bank"])
    assert isinstance(ended["tax"], PeerError)
    assert isinstance(ended[HELPER], PeerError)


@pytest.mark.parametrize("count", [1, 9])
def test_too_few_or_too_many_parties(count: int) -> None:
    names = [f"p{i}" for i in range(count)]
    with pytest.raises(UsageError, match="2 to 8"):
        align(Session(MemoryNetwork().endpoint("p0"), names, helper=HELPER), ["a"])


def test_without_a_helper_there_is_no_assisted_alignment() -> None:
    with pytest.raises(UsageError, match="helper"):
        align(Session(MemoryNetwork().endpoint("bank"), ("bank", "tax")), ["a"])


def lying_helper(
    forge: Callable[[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]], verdict: int = 2
) -> Callable[[Session], Any]:
    def role(s: Session) -> None:
        tokens = {}
        for party in s.parties:
            s.receive(party, "size")
            tokens[party] = s.receive(party, "tokens")[0].view("S16").ravel()
        for party in s.parties:
            s.send(party, "verdict", Public(np.array([verdict], dtype=np.uint8)))
            positions = forge(party, tokens[party])
            is_whole = positions.dtype == np.int64
            s.send(party, "positions", Public(positions.astype(np.uint32) if is_whole else positions))

    return role


@pytest.mark.parametrize(
    "positions", [[0, 999], [1, 0], [1, 1], [2**32 - 1]], ids=["out of range", "falling", "repeated", "huge"]
)
def test_a_helper_with_impossible_positions_is_named(positions: list[int]) -> None:
    liar = lying_helper(lambda party, tokens: np.array(positions, dtype=np.uint32))
    ended = outcomes([["a", "b"], ["b", "a"]], {HELPER: liar})
    for name in ("bank", "tax"):
        assert isinstance(ended[name], PeerError)
        assert ended[name].party == HELPER
        assert ended[name].step == "positions"


@pytest.mark.parametrize(
    "forge",
    [
        lambda party, tokens: (
            np.flatnonzero(tokens != tokens[0]) if party == "bank" else np.arange(len(tokens))
        ),
        lambda party, tokens: np.flatnonzero(tokens != tokens[-(party == "bank")]),
    ],
    ids=["another count", "other rows"],
)
def test_a_helper_that_tells_the_parties_different_sets_is_found_out(forge: Any) -> None:
    """It is lucky with what it leaves out: 10,000 enterprises among 128 dummies, one left out."""
    ids = [f"id{i}" for i in range(10_000)]
    ended = outcomes([ids, ids[::-1], ids], {HELPER: lying_helper(forge)})
    assert all(isinstance(ended[name], PeerError) for name in NAMES[:3])
    assert ended["bank"].step in ("digest", "positions")


def test_a_helper_that_ignores_the_minimum_is_refused() -> None:
    liar = lying_helper(lambda party, tokens: np.arange(len(tokens)))
    ended = outcomes([["a", "b"], ["b", "a"]], {HELPER: liar}, minimum_rows=3)
    assert isinstance(ended["bank"], RefusedError)
    assert isinstance(ended["tax"], RefusedError)


@pytest.mark.parametrize(
    ("forge", "verdict"),
    [
        (lambda party, tokens: np.array([0.5]), 2),
        (lambda party, tokens: np.zeros((1, 1), dtype=np.uint32), 2),
        (lambda party, tokens: np.array([0], dtype=np.uint32), 7),
    ],
    ids=["dtype", "dimensions", "verdict"],
)
def test_garbage_from_the_helper(forge: Any, verdict: int) -> None:
    ended = outcomes([["a", "b"], ["b", "a"]], {HELPER: lying_helper(forge, verdict)})
    assert isinstance(ended["bank"], PeerError)
    assert ended["bank"].party == HELPER


def liar_party(size: int, tokens: np.ndarray[Any, Any]) -> Callable[[Session], Any]:
    def role(s: Session) -> None:
        s.receive("bank", "key")
        s.send(HELPER, "size", Public(np.array([size], dtype=np.uint64)))
        s.send(HELPER, "tokens", Tokens(tokens))
        s.receive(HELPER, "verdict")

    return role


@pytest.mark.parametrize(
    ("size", "tokens"),
    [
        (2, np.zeros((2 + DUMMIES, 16), dtype=np.uint8)),
        (2, np.repeat(np.arange(2 + DUMMIES, dtype=np.uint8)[::-1, None], 16, axis=1)),
        (3, np.repeat(np.arange(2 + DUMMIES, dtype=np.uint8)[:, None], 16, axis=1)),
        (2, np.repeat(np.arange(2 + DUMMIES, dtype=np.uint8)[:, None], 15, axis=1)),
        (2, np.repeat(np.arange(2 + DUMMIES, dtype=np.float64)[:, None], 16, axis=1)),
        (0, np.repeat(np.arange(DUMMIES, dtype=np.uint8)[:, None], 16, axis=1)),
        (2**63, np.zeros((0, 16), dtype=np.uint8)),
    ],
    ids=["repeated", "unsorted", "other size", "width", "dtype", "none", "too many"],
)
def test_garbage_from_a_party_is_found_by_the_helper(size: int, tokens: np.ndarray[Any, Any]) -> None:
    ended = outcomes([["a", "b"], ["a"]], {"tax": liar_party(size, tokens)})
    assert isinstance(ended[HELPER], PeerError)
    assert ended[HELPER].party == "tax"
    assert isinstance(ended["bank"], PeerError)


def test_a_key_of_the_wrong_length_is_refused() -> None:
    def short_key(s: Session) -> None:
        s.send("tax", "key", Seed(np.zeros(8, dtype=np.uint8)))

    ended = outcomes([["a"], ["a"]], {"bank": short_key}, timeout_s=0.5)
    assert isinstance(ended["tax"], PeerError)
    assert ended["tax"].party == "bank"


def test_a_party_that_dies_ends_the_others() -> None:
    def dies(s: Session) -> None:
        raise PeerError("killed")

    ended = outcomes([["a"], ["a"], ["a"]], {"power": dies})
    assert all(isinstance(error, PeerError) for error in ended.values())


def test_a_party_that_stalls_is_named_with_the_step() -> None:
    ended = outcomes([["a"], ["a"]], {"tax": lambda s: None}, timeout_s=0.2)
    assert isinstance(ended[HELPER], PeerTimeout)
    assert (ended[HELPER].party, ended[HELPER].step) == ("tax", "size")


def test_a_refused_disclosure_stops_before_anything_is_sent() -> None:
    sent: list[Any] = []
    network = MemoryNetwork(tap=lambda *message: sent.append(message))

    def refuse(disclosure: Disclosure) -> None:
        raise RefusedError(f"the contract does not name {disclosure.kind}")

    s = Session(network.endpoint("bank"), ("bank", "tax"), helper=HELPER, on_disclosure=refuse)
    with pytest.raises(RefusedError):
        align(s, ["a"])
    assert sent == []
