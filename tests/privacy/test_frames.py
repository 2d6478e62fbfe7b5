"""A real room, watched from outside: what crosses the relay, lies on the disks, and is given to processes.

Every node writes its debug log, and two parties' job processes theirs. The data holds canaries: codes of
enterprises and numbers that would be recognised anywhere.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from saferoom.audit.log.sqlite import SqliteReader
from saferoom.contracts.contract import Contract
from saferoom.contracts.disclosures import allowed_disclosures
from saferoom.errors import SafeRoomError
from saferoom.identity.keys import NodeKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.home import Home
from saferoom.lab.house import house
from saferoom.link.frames import AUTHENTICATED_BYTES, HEADER_BYTES, Kind, parse_header
from tests.bent_node import LOUD
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, enterprises, write_rows

ROWS, ASKED = 300, 12
TALKATIVE = ("bank", "power")
CANARY = 31415.92653
NODE = str(Path(__file__).parents[1] / "bent_node.py")


@dataclass
class Watched:
    """A room in which a model was trained, a list and one enterprise scored, and a few things went wrong."""

    desk: Desk
    tap: Path
    ids: list[str]
    contract: Contract
    jobs: dict[str, str]
    errors: list[str]

    @property
    def model(self) -> str:
        return next(iter(self.jobs))

    def frames(self) -> list[bytes]:
        """Every frame that the relay saw."""
        raw, at, found = (self.tap / "coordinator.frames").read_bytes(), 0, []
        while at < len(raw):
            size = int.from_bytes(raw[at : at + 4], "big")
            found.append(raw[at + 4 : at + 4 + size])
            at += 4 + size
        return found

    def given(self) -> dict[tuple[str, str], dict[str, Any]]:
        """What each job process was given: keys, arguments, environment; by node and job."""
        found = {}
        for file in self.tap.glob("*.json"):
            node, _, job = file.stem.partition("-")
            found[node, job] = json.loads(file.read_text("utf-8"))
        return found

    def home(self, node: str) -> Path:
        return self.desk.node(node).home


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    folder, tap = tmp_path_factory.mktemp("watched"), tmp_path_factory.mktemp("tap")
    for party in TALKATIVE:
        (folder / party).mkdir(mode=0o700)
        (folder / party / "bend.txt").write_text(LOUD, encoding="utf-8")
    program = (sys.executable, NODE, "--tap", str(tap))
    programs = dict.fromkeys((*PARTIES, COORDINATOR), program)
    with house(empty_room(), folder, lambda _text: None, PATIENCE, programs) as running:
        desk = Desk(running, tmp_path_factory.mktemp("rows"))
        ids, parts = enterprises(ROWS)
        parts["tax"]["tax_b"] = [CANARY + row / 1024 for row in range(ROWS)]
        parts["bank"]["bank_b"] = [CANARY / 3 + row % 2 for row in range(ROWS)]
        invalid = ids[0][:-1] + ("1" if ids[0][-1] != "1" else "2")
        parts["tax"]["uscc"] = [invalid, *ids[1:]]
        for party, columns in parts.items():
            desk.add(party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {}))
        contract = desk.agree(dict.fromkeys(PARTIES, "rows"))
        jobs = _run_jobs(desk, contract, parts["bank"])
        errors = _go_wrong(desk, contract, next(iter(jobs)), parts["bank"])
        plain = desk.node("bank").ask("contract.show", contract=contract)["contract"]
        canaries = [invalid, *ids[:40:3], *ids[40::20]]
        yield Watched(desk, tap, canaries, Contract.model_validate(plain), jobs, errors)


def _run_jobs(desk: Desk, contract: str, bank: dict[str, Any]) -> dict[str, str]:
    model = desk.submit(contract)
    desk.finish(model, PARTIES)
    features = {name: bank[name][10 : 10 + ASKED] for name in ("uscc", "bank_a", "bank_b")}
    asked = str(write_rows(desk.folder / "asked.csv", features))
    batch = desk.node("bank").ask("score.batch", model=model, input=asked)["job_id"]
    desk.finish(batch, PARTIES)
    return {model: "train", batch: "score"}


def _go_wrong(desk: Desk, contract: str, model: str, bank: dict[str, Any]) -> list[str]:
    """Mistakes that people make with data in their hands; what they are told."""
    label = {"label": "y", "split": "split"}
    text = [f"{CANARY}?" if row == 5 else value for row, value in enumerate(bank["bank_a"])]
    typed = [{"name": "bank_a", "type": "numeric"}]
    twice = {**bank, "uscc": [bank["uscc"][1], *bank["uscc"][1:]]}
    asked = str(desk.folder / "asked.csv")
    garbled = write_rows(desk.folder / "garbled.csv", {"uscc": bank["uscc"], "bank_a": text})
    mistakes: list[Callable[[], Any]] = [
        lambda: desk.add("bank", "label", {**bank, "y": [CANARY, *bank["y"][1:]]}, **label),
        lambda: desk.add("bank", "text", {**bank, "bank_a": text}, columns=typed, **label),
        lambda: desk.add("bank", "split", {**bank, "split": bank["uscc"]}, **label),
        lambda: desk.add("bank", "twice", {**twice, "y": [2, *bank["y"][1:]]}, **label),
        lambda: desk.node("bank").ask("score.one", model=model, input=asked, id=bank["uscc"][200] + "X"),
        lambda: _wait(
            desk, desk.node("bank").ask("score.one", model=model, input=asked, id=bank["uscc"][200])
        ),
        lambda: _wait(desk, desk.node("bank").ask("score.batch", model=model, input=str(garbled))),
    ]
    told = []
    for mistake in mistakes:
        with pytest.raises(SafeRoomError) as caught:
            mistake()
        told.append(str(caught.value))
    return told


def _wait(desk: Desk, asked: dict[str, Any]) -> None:
    desk.house.follow(desk.node("bank"), str(asked["job_id"]), lambda _item: None)


# -- what the nodes say they disclosed ---------------------------------------------------------------


def log_of(watched: Watched, node: str) -> list[dict[str, Any]]:
    reader = SqliteReader(Home.at(watched.home(node)).log, live=True)
    try:
        return [json.loads(data) for _, data in reader.entries(0, 1 << 30)]
    finally:
        reader.close()


def test_real_logs_hold_what_the_contract_declares_and_nothing_else(watched: Watched) -> None:
    bank = watched.contract.label_holder
    own: dict[str, set[tuple[str, str]]] = {
        "train": {("split", bank)},
        "score": {("query", bank)},
    }
    logs = [event for node in (*PARTIES, COORDINATOR) for event in log_of(watched, node)]
    for job, kind in watched.jobs.items():
        of_job = [e for e in logs if e["type"] == "disclosure" and e["session"]["id"] == job]
        assert {e["outcome"] for e in of_job} == {"allowed"}
        learnt = {(e["disclosure"]["kind"], e["disclosure"]["to"]) for e in of_job}
        assert learnt == allowed_disclosures(watched.contract, kind) - own[kind]


def test_both_ends_of_every_conversation_log_the_same_transcript(watched: Watched) -> None:
    """And so does the relay between them, for every phase: one event a flow and phase, three logs."""
    said: dict[tuple[str, str, int], list[tuple[str, int, str]]] = {}
    for node in (*PARTIES, COORDINATOR):
        for event in log_of(watched, node):
            if event["type"] in ("transcript", "relay.envelope") and event["session"]["id"] == watched.model:
                peer, me = event["peer"], event["actor"]["org"]
                ends = (peer["org"], peer.get("to", me))
                ends = (me, peer["org"]) if peer["direction"] == "sent" else ends
                said.setdefault((*ends, peer["cut"]), []).append(
                    (peer["direction"], peer["messages"], peer["transcript"])
                )
    flows = {key[:2] for key in said}
    assert flows == set(permutations((*PARTIES, HELPER), 2))
    for key, seen in said.items():
        assert sorted(direction for direction, _, _ in seen) == ["received", "relayed", "sent"], key
        assert len({(messages, digest) for _, messages, digest in seen}) == 1, key


# -- what crosses the relay ----------------------------------------------------------------------------


def plain_forms(watched: Watched) -> list[bytes]:
    """Ids and numbers of the data as bytes that would travel if nothing hid them."""
    numbers = [CANARY, CANARY / 3, *(CANARY + row / 1024 for row in range(0, ROWS, 37))]
    forms = [code.encode() for code in watched.ids]
    for number in numbers:
        forms += [np.float64(number).tobytes(), repr(number).encode()]
        forms += [np.int64(number * 2**bits).tobytes() for bits in (12, 13, 16, 20, 32)]
    model = json.loads((watched.home("tax") / "models" / watched.model / "model.json").read_text("utf-8"))
    for coefficient in model["coefficients"]:
        forms += [np.float64(coefficient).tobytes()]
        forms += [np.int64(coefficient * 2**bits).tobytes() for bits in (20, 24, 32)]
    return forms


def test_frames_hold_no_id_no_number_and_no_step(watched: Watched) -> None:
    frames = watched.frames()
    sealed = [frame for frame in frames if frame[1] == Kind.DATA]
    assert len(sealed) > 500
    pairs = {(parse_header(frame).sender, parse_header(frame).receiver) for frame in sealed}
    assert {("bank", "tax"), ("tax", "power"), ("power", HELPER), (HELPER, "bank")} <= pairs
    everything = b"".join(sealed)
    steps = (b"align/tokens", b"align/positions", b"train/sizes", b"release/coefficients", b"evaluate/train")
    for needle in (*plain_forms(watched), *steps):
        assert needle not in everything


def _opens(frame: bytes, key: bytes) -> bytes | None:
    header = parse_header(frame)
    nonce = header.session.to_bytes(4, "big") + header.sequence.to_bytes(8, "big")
    try:
        return AESGCM(key).decrypt(nonce, frame[HEADER_BYTES:], frame[:AUTHENTICATED_BYTES])
    except InvalidTag:
        return None


def test_the_right_key_opens_a_frame_and_none_that_the_coordinator_has(watched: Watched) -> None:
    """The first shows that the frames are the job's; every other key of the room fails."""
    frame = next(
        frame
        for frame in watched.frames()
        if frame[1] == Kind.DATA
        and parse_header(frame).job_id.hex() == watched.model
        and (parse_header(frame).sender, parse_header(frame).receiver) == ("bank", "tax")
    )
    given = watched.given()
    right = bytes.fromhex(given["bank", watched.model]["keys"]["tax"][0])
    opened = _opens(frame, right)
    assert opened is not None and b"align/" in opened
    home = Home.at(watched.home(COORDINATOR))
    owned = [NodeKeys.load(home.keys), NodeKeys.load(home.helper_keys)]
    wrong = [keys.sealing_private_bytes() for keys in owned]
    helpers = given[COORDINATOR, watched.model]["keys"]
    wrong += [bytes.fromhex(key) for pair in helpers.values() for key in pair]
    assert len(wrong) == 2 + 2 * len(PARTIES)
    assert all(_opens(frame, key) is None for key in wrong)


# -- what lies on the disks ----------------------------------------------------------------------------


def files_of(watched: Watched, node: str, *, own_data: bool = False) -> dict[str, bytes]:
    """Bytes of a node's files; those of its own data and models only if asked for."""
    home = watched.home(node)
    found = {}
    for file in home.rglob("*"):
        if file.is_file() and (own_data or file.relative_to(home).parts[0] not in ("data", "models")):
            found[f"{node}/{file.relative_to(home)}"] = file.read_bytes()
    return found


def _spellings(code: str) -> list[bytes]:
    return [code.encode(), code.lower().encode(), code.encode("utf-16-le")]


def test_no_canary_outside_the_folders_of_the_partys_own_data(watched: Watched) -> None:
    for node in (*PARTIES, COORDINATOR):
        files = files_of(watched, node)
        assert {f"{node}/{name}" for name in ("daemon.log", "state.db", "log/log.db")} <= set(files)
        assert b"DEBUG" in files[f"{node}/daemon.log"] or b"INFO" in files[f"{node}/daemon.log"]
        for name, content in files.items():
            assert not any(form in content for code in watched.ids for form in _spellings(code)), name
            for number in (CANARY, CANARY / 3):
                assert f"{number:.4f}"[:-1].encode() not in content, name
                assert np.float64(number).tobytes() not in content, name


def test_the_canaries_can_be_found_where_they_belong(watched: Watched) -> None:
    scores = (watched.home("bank") / "models" / watched.model / "scores.csv").read_bytes()
    assert all(code.encode() in scores for code in watched.ids[2:])
    rejected = (watched.home("tax") / "data" / "rows.rejected.csv").read_bytes()
    assert watched.ids[0].encode() in rejected
    model = (watched.home("tax") / "models" / watched.model / "model.json").read_bytes()
    assert f"{CANARY:.1f}"[:-1].encode() in model


def test_ids_of_scored_enterprises_lie_at_the_label_holder_alone(watched: Watched) -> None:
    for node in ("tax", "power", COORDINATOR):
        for name, content in files_of(watched, node, own_data=True).items():
            if name.endswith(".rejected.csv"):
                continue
            assert not any(form in content for code in watched.ids for form in _spellings(code)), name
        assert not list((watched.home(node)).rglob("scores*"))


def test_no_error_tells_a_value(watched: Watched) -> None:
    assert len(watched.errors) == 7
    for text in watched.errors:
        assert "Remedy" in text
        assert not any(code in text for code in watched.ids), text
        assert f"{CANARY:.2f}" not in text, text


def test_private_files_are_private(watched: Watched) -> None:
    for node in (*PARTIES, COORDINATOR):
        home = watched.home(node)
        assert home.stat().st_mode & 0o777 == 0o700
        for path in home.rglob("*"):
            mode = path.stat().st_mode & 0o777
            if path.is_dir():
                assert mode == 0o700, path
            elif path.relative_to(home).parts[0] in ("keys", "helper-keys", "authority", "models", "data"):
                assert mode == 0o600, path


# -- what processes are given ------------------------------------------------------------------------


def test_no_secret_in_arguments_environment_or_files(watched: Watched) -> None:
    given = watched.given()
    expected = {(node, job) for node in (*PARTIES, COORDINATOR) for job in watched.jobs}
    assert expected <= set(given)
    keys = {key for spec in given.values() for pair in spec["keys"].values() for key in pair}
    assert len(keys) >= 2 * 12
    for (node, job), spec in given.items():
        arguments = spec["argv"].rstrip("\0").split("\0")
        if node not in TALKATIVE:
            assert arguments[1:3] == ["-m", "saferoom.node.processes.forkserver"]
            assert arguments[3].isdecimal() and len(arguments) == 4
        for text in (spec["argv"], spec["environment"]):
            assert job not in text and watched.contract.id not in text
            assert not any(key in text for key in keys)
            assert not any(code in text for code in watched.ids)
    for node in (*PARTIES, COORDINATOR):
        for name, content in files_of(watched, node, own_data=True).items():
            for key in keys:
                assert key.encode() not in content and bytes.fromhex(key) not in content, name
