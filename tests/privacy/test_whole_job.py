"""What every node learns in a whole job: what the contract declares, written down before it is sent, no more.

The jobs run in threads with real contracts, data sets and logs; `tests/privacy/test_frames.py` watches real
processes.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from saferoom.channel.session import Disclosure
from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.errors import StorageError
from saferoom.ids import HELPER
from saferoom.kinds.learns import DISCLOSURES
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns, write_rows
from tests.task_room import Message, Played, play
from tests.uniformity import FEWEST, looks_uniform

ROWS, ASKED = 600, 40
TOLD = {"converged told", "range told"}
PLAIN = {"size", "sizes", "positions", "split", "range"}
"""The last word of steps whose messages are declared disclosures in the clear, and not masked."""

ROOMS = {
    "three parties": three_party_columns(),
    "three parties, no features at the label holder": three_party_columns()
    | {"bank": {"uscc": "id", "y": "label", "split": "split"}},
    "two parties": {party: three_party_columns()[party] for party in ("bank", "tax")},
    "two parties, no features at the label holder": {
        "bank": {"uscc": "id", "y": "label"},
        "tax": three_party_columns()["tax"],
    },
}


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("whole-job")) as nodes:
        _, parts = enterprises(ROWS)
        for party, columns in parts.items():
            label = {"label": "y", "split": "split"} if party == "bank" else {}
            nodes.add_data(party, "rows", columns, **label)
            if party != "power":
                unsplit = {name: values for name, values in columns.items() if name != "split"}
                nodes.add_data(party, "unsplit", unsplit, **({"label": "y"} if party == "bank" else {}))
        yield nodes


@pytest.fixture(scope="module")
def asked(nodes: Nodes) -> Path:
    """A list of enterprises to be scored, with the bank's features."""
    columns = enterprises(ROWS)[1]["bank"]
    picked = {name: columns[name][:ASKED] for name in ("uscc", "bank_a", "bank_b")}
    return write_rows(nodes.folder / "asked.csv", picked)


@pytest.fixture(scope="module", params=ROOMS, ids=[name.replace(" ", "-") for name in ROOMS])
def jobs(request: pytest.FixtureRequest, nodes: Nodes, asked: Path) -> tuple[Contract, dict[str, Played]]:
    """A training job and a score job of a room of each shape."""
    columns = ROOMS[request.param]
    dataset = "rows" if "split" in columns["bank"].values() else "unsplit"
    contract = nodes.activate(nodes.draft(columns, dataset))
    trained = play(nodes, contract)
    assert trained.error is None
    scored = play(
        nodes,
        contract,
        "score",
        params={"model": trained.job_id, "rows": ASKED},
        local={"bank": {"input": str(asked)}},
    )
    assert scored.error is None
    return contract, {"train": trained, "score": scored}


def known_before(contract: Contract, job: str) -> set[tuple[str, str]]:
    """Allowed, and no disclosure: what its one receiver made itself, or what is not there to be learnt."""
    holder = contract.label_holder
    own = {("split", holder)} if job == "train" else {("query", holder)}
    return own if contract.features_of(holder) else own | {("coefficients", holder)}


def test_the_logs_hold_what_the_contract_declares_and_nothing_else(
    jobs: tuple[Contract, dict[str, Played]],
) -> None:
    contract, played = jobs
    for kind, job in played.items():
        assert job.learnt() == allowed_disclosures(contract, kind) - known_before(contract, kind)
        assert {what for what, _ in job.learnt()} <= set(DISCLOSURES)


def test_every_node_logs_what_it_has_a_part_in(jobs: tuple[Contract, dict[str, Played]]) -> None:
    """Shared values are revealed by all parties together: each of them writes it down."""
    contract, played = jobs
    for job in played.values():
        logged = {me: {(kind, to) for _, kind, to, _, _ in rows} for me, rows in job.disclosures.items()}
        for party in contract.parties:
            assert {("score", "bank"), ("set_sizes", HELPER)} <= logged[party]
        assert logged[HELPER] == {("intersection", party) for party in contract.parties}
    trained = played["train"].disclosures
    for party in contract.parties:
        assert ("intercept", "bank") in {(kind, to) for _, kind, to, _, _ in trained[party]}


def test_no_disclosure_is_larger_than_the_job(jobs: tuple[Contract, dict[str, Played]]) -> None:
    _, played = jobs
    for kind, most in (("train", ROWS), ("score", ASKED)):
        for rows in played[kind].disclosures.values():  # type: ignore[index]
            shapes = {shape for _, what, _, shape, _ in rows if what == "score"}
            assert all(int(shape.strip("[]")) <= most for shape in shapes)


def test_every_entry_stands_in_the_log_before_its_value_is_sent(
    jobs: tuple[Contract, dict[str, Played]],
) -> None:
    _, played = jobs
    seen: Counter[str] = Counter()
    for job in played.values():
        for message in job.messages:
            for index, kind, to, _, step in job.disclosures[message.sender]:
                if to == message.receiver and (message.label == step or message.label.startswith(step + "/")):
                    assert index < message.logged, (message.sender, step)
                    seen[kind] += 1
    carried = {"set_sizes", "intersection", "widths", "split", "range_check", "converged"}
    assert set(seen) >= carried | {"score", "intercept", "coefficients"}


def test_the_helper_hears_sizes_and_pseudonyms_only(jobs: tuple[Contract, dict[str, Played]]) -> None:
    _, played = jobs
    for job in played.values():
        heard = [m for m in job.messages if m.receiver == HELPER]
        assert {_last(m) for m in heard} <= {"size", "tokens", "sizes", "pace", "nonce", *TOLD}
        assert all(sum(t.size for t in m.tensors) <= 2 for m in heard if _last(m) not in ("tokens", "nonce"))


def test_scores_coefficients_and_intercept_go_to_their_owner_alone(
    jobs: tuple[Contract, dict[str, Played]],
) -> None:
    _, played = jobs
    for job in played.values():
        for message in job.messages:
            if _last(message) == "reveal" or message.label.startswith("score/part"):
                assert message.receiver == "bank"
            if message.label.startswith("release/coefficients/"):
                assert message.receiver == _last(message)


def compared(message: Message) -> bool:
    """Openings of 24 bits, and of shared bits: `test_comparison` looks at them."""
    return bool({"limits", "range", "any"} & set(message.label.split("/")))


def masked(job: Played) -> dict[str, list[Any]]:
    """All masked words that travelled, by step and width; the same words to several peers once."""
    words: dict[str, list[Any]] = defaultdict(list)
    told: set[tuple[str, str, bytes]] = set()
    for message in job.messages:
        if _last(message) in PLAIN or compared(message):
            continue
        for tensor in message.tensors:
            key = (message.sender, message.label, tensor.tobytes()[:64])
            if tensor.dtype in (np.uint32, np.uint64) and tensor.size > 2 and key not in told:
                told.add(key)
                words[f"{message.sender == HELPER} {_last(message)} {tensor.dtype}"].append(tensor.ravel())
    return words


def test_masked_words_of_a_whole_job_are_uniform(jobs: tuple[Contract, dict[str, Played]]) -> None:
    _, played = jobs
    tested = 0
    for kind, parts in masked(played["train"]).items():
        words = np.concatenate(parts)
        if len(words) >= FEWEST:
            assert looks_uniform(words), kind
            tested += 1
    assert tested >= 5


def test_opened_words_of_a_whole_job_are_uniform(jobs: tuple[Contract, dict[str, Played]]) -> None:
    """What everybody learns by adding up the masked shares."""
    contract, played = jobs
    parts: dict[str, dict[str, Any]] = defaultdict(dict)
    for message in played["train"].messages:
        spoken = _last(message) in ("turns", "rows", "open") and message.sender != HELPER
        if spoken and not compared(message):
            parts[message.label][message.sender] = message.tensors[0]
    whole = defaultdict(list)
    for shares in parts.values():
        assert set(shares) == set(contract.parties)
        total = sum(shares.values())
        whole[str(total.dtype)].append(np.ravel(total))
    assert set(whole) == {"uint32", "uint64"}
    for words in whole.values():
        assert looks_uniform(np.concatenate(words))


def test_the_test_of_uniformity_can_fail() -> None:
    """Fixed-point features, unmasked, and one masked value among many that are not."""
    features = (np.random.default_rng(0).normal(size=4000) * 2**16).astype(np.int64).view(np.uint64)
    assert not looks_uniform(features)


def test_no_mask_is_spent_twice(jobs: tuple[Contract, dict[str, Played]]) -> None:
    """Under one mask, equal values would give equal words; no words come twice, in this job or the next."""
    _, played = jobs
    seen: dict[bytes, str] = {}
    for job in played.values():
        for message in job.messages:
            for tensor in message.tensors:
                if tensor.dtype not in (np.uint32, np.uint64) or tensor.size < 4 or _last(message) in PLAIN:
                    continue
                before = seen.setdefault(tensor.tobytes(), f"{message.sender} {message.label}")
                assert before == f"{message.sender} {message.label}"


@pytest.mark.parametrize(
    ("who", "kind", "carried_by"),
    [
        ("bank", "intersection", "align/tokens"),
        ("tax", "set_sizes", "align/tokens"),
        (HELPER, "intersection", "align/positions"),
        ("power", "widths", "train/sizes"),
        ("bank", "split", "split"),
        ("tax", "score", "evaluate/train/reveal"),
        ("bank", "range_check", "train/stage=0/range/range"),
        ("tax", "converged", "train/stage=0/check=0/converged"),
        ("power", "intercept", "release/origin/reveal"),
        ("tax", "coefficients", "release/coefficients/bank"),
    ],
)
def test_no_entry_no_disclosure(nodes: Nodes, who: str, kind: str, carried_by: str) -> None:
    """A log that fails at one node stops that value, and everything after it."""

    def full(disclosure: Disclosure) -> None:
        if disclosure.kind == kind:
            raise StorageError("the audit log cannot be written", party=who, step=disclosure.step)

    contract = nodes.activate(nodes.draft(three_party_columns()))
    job = play(nodes, contract, meddle={who: full})
    assert job.error is not None
    assert [m for m in job.messages if m.sender == who and m.label == carried_by] == []
    assert kind not in {what for _, what, _, _, _ in job.disclosures[who]}
    last = kind == "score"  # others are done by then, and their daemons destroy what is staged
    after = "evaluate/test/reveal" if last else "release/coefficients/"
    assert not [m for m in job.messages if m.sender == who and m.label.startswith(after)]
    for party in [who, contract.label_holder] if last else contract.parties:
        assert not nodes.homes[party].model(job.job_id).exists()


def _last(message: Message) -> str:
    return message.label.split("/")[-1]
