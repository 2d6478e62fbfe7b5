"""Whoever must not, may not: expired, forbidden, used up, put out, misbehaving; each is told why, by name.

One room serves all these tests. Its fourth party, the water works, is in few contracts and comes to a bad
end; its third, the power company, misbehaves in some jobs. The others go on through all of it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from saferoom.errors import RefusedError, SafeRoomError, StorageError, UsageError
from saferoom.identity.register import Register
from saferoom.ids import COORDINATOR
from saferoom.jobs.home import Home
from saferoom.lab.house import house
from saferoom.lab.processes import NodeProcess
from saferoom.node.core import Core
from saferoom.node.settings import NodeSettings, load_settings
from saferoom.node.setup import enrol, init_coordinator, init_party, join
from tests.desk_room import PATIENCE, Desk, empty_room
from tests.node_room import PARTIES, enterprises, write_rows
from tests.waiting import until

ROWS = 300
IDS, PARTS = enterprises(ROWS)
ALL = dict.fromkeys(PARTIES, "rows")
BENT = (sys.executable, str(Path(__file__).parents[1] / "bent_node.py"))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("refusals")
    (folder / "power").mkdir(mode=0o700)
    (folder / "power" / "bend.txt").touch()
    room = empty_room((*PARTIES, "water"))
    with house(room, folder, lambda _text: None, PATIENCE, {"power": BENT}) as running:
        desk = Desk(running, tmp_path_factory.mktemp("rows"))
        for party, columns in PARTS.items():
            desk.add(party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {}))
        desk.add("water", "rows", {"uscc": IDS, "water_a": list(range(ROWS))})
        yield desk


@pytest.fixture(scope="module")
def contract(desk: Desk) -> str:
    """May train once and score five enterprises a day."""
    return desk.agree(ALL, quotas={"training_jobs": 1, "scores_per_day": 5})


def test_a_contract_that_expires(desk: Desk) -> None:
    end = datetime.now(UTC) + timedelta(seconds=3)
    short = desk.agree(ALL, expires=end.isoformat())
    for name in (*PARTIES, COORDINATOR):
        desk.until_contract(name, short, "expired")
    with pytest.raises(RefusedError, match="expired") as caught:
        desk.submit(short)
    assert caught.value.step and caught.value.remedy


def test_a_policy_that_forbids_the_contract(desk: Desk) -> None:
    policy = desk.node("tax").home / "policy.yaml"
    before = policy.read_text("utf-8")
    policy.write_text("never_columns: [tax_b]\n", encoding="utf-8")
    try:
        forbidden = desk.propose(ALL)
        with pytest.raises(RefusedError, match="tax_b") as caught:
            desk.node("tax").ask("contract.approve", contract=forbidden, by="officer")
        assert caught.value.party == "tax" and caught.value.remedy
        for party in ("bank", "power"):
            desk.node(party).ask("contract.approve", contract=forbidden, by="officer")
        assert desk.contract_at(COORDINATOR, forbidden) == "proposed"
        with pytest.raises(RefusedError, match="not active"):
            desk.submit(forbidden)
    finally:
        policy.write_text(before, encoding="utf-8")


def test_a_policy_that_changes_its_mind(desk: Desk, contract: str) -> None:
    policy = desk.node("tax").home / "policy.yaml"
    before = policy.read_text("utf-8")
    policy.write_text("purposes: [statistics]\n", encoding="utf-8")
    try:
        job = desk.submit(contract)
        desk.assert_failed(job, PARTIES, names="tax", words="purpose 'sme-credit' is not accepted")
    finally:
        policy.write_text(before, encoding="utf-8")


@pytest.mark.parametrize("kind", ["psi", "report", "", "train; score"])
def test_a_kind_of_job_that_there_is_not(desk: Desk, contract: str, kind: str) -> None:
    for ask in (
        lambda: desk.submit(contract, kind),
        lambda: desk.node("bank").ask("job.submit", contract=contract, kind=kind),
    ):
        with pytest.raises(RefusedError, match="does not allow a job of kind") as caught:
            ask()
        assert caught.value.step and caught.value.remedy


def test_a_parameter_that_is_not_the_contracts(desk: Desk, contract: str) -> None:
    with pytest.raises(RefusedError, match="'l2' differs"):
        desk.submit(contract, l2=0.0)
    with pytest.raises(RefusedError, match="'epsilon' differs"):
        desk.submit(contract, epsilon=1)


def test_a_verb_there_is_not(desk: Desk) -> None:
    with pytest.raises(UsageError):
        desk.node("bank").ask("data.send")


@pytest.mark.parametrize(
    ("bend", "words"),
    [
        ("garbage bank /turns", "tensor format"),
        ("too-large tax /turns", "expected one"),
        ("boastful bank /turns", "tensor format"),
        ("late tax /turns", "we are at"),
        ("garbage helper /tokens", "tensor format"),
    ],
)
def test_a_party_that_misbehaves_in_a_job_is_named_everywhere(desk: Desk, bend: str, words: str) -> None:
    file = desk.node("power").home / "bend.txt"
    file.write_text(bend, encoding="utf-8")
    try:
        job = desk.submit(desk.agree(ALL))
        desk.assert_failed(job, PARTIES, names="power", words=words)
    finally:
        file.write_text("", encoding="utf-8")


@pytest.fixture
def tax(desk: Desk) -> Iterator[NodeProcess]:
    """The tax bureau's node, started anew after whatever was done to it."""
    node = desk.node("tax")
    yield node
    node.stop()
    desk.house.nodes["tax"] = NodeProcess.start("tax", node.role, node.home)
    until(lambda: _connected(desk, "tax"), "tax is back")


@pytest.fixture
def full_disk(desk: Desk, tax: NodeProcess) -> tuple[str, str]:
    """The tax bureau's disk is full from the middle of a job on; the job, and one that came after it."""
    contract = desk.agree(ALL)
    job = desk.submit(contract)
    for item in desk.node(COORDINATOR).stream("job.watch", job=job):
        assert "state" not in item, item
        if item["party"] == "tax" and item["phase"] == "train":
            _fill_disk(tax)
            break
    desk.ended(COORDINATOR, job)
    return job, desk.submit(contract)


def test_a_full_disk_for_the_log(desk: Desk, tax: NodeProcess, full_disk: tuple[str, str]) -> None:
    """The party refuses to act and says why; the others are through with it; it stays up to be asked."""
    for job in full_disk:
        desk.assert_failed(job, ("bank", "power"), names="tax", words="audit log cannot be written")
        assert not (tax.home / "models" / job).exists()
    assert tax.ask("status")["up"]
    with pytest.raises(StorageError):
        desk.add("tax", "more", PARTS["tax"])


def test_a_certificate_of_another_authority(desk: Desk, tmp_path: Path) -> None:
    """Enrolled at a coordinator of its own making, an impostor dials ours and stays outside."""
    now = datetime.now(UTC)
    false, impostor = Home.at(tmp_path / "false"), Home.at(tmp_path / "power")
    address = load_settings(Home.at(desk.node(COORDINATOR).home).settings).public_address
    settings = NodeSettings(
        role="coordinator", node_id=COORDINATOR, organisation="x", listen=address, public_address=address
    )
    init_coordinator(false, settings, now)
    request = init_party(impostor, "power", "power", now)
    with Core.opened(false) as core:
        _, welcome = enrol(core, request, now, None, None)
    with Core.opened(impostor) as core:
        join(core, welcome, now, None)
    node = NodeProcess.start("power", "party", impostor.root)
    try:
        status = until(lambda: _stays_out(node), "a reason")
        assert status["remedy"]
        assert _connected(desk, "power"), "the true one keeps its place"
    finally:
        node.stop()


def test_a_party_that_is_put_out(desk: Desk) -> None:
    """While it is connected: its line is cut, it learns why, and no job waits for it."""
    contract = desk.agree({**ALL, "water": "rows"})
    file = desk.node(COORDINATOR).home / "register.json"
    Register.load(file).without("water", datetime.now(UTC)).save(file)
    until(lambda: not _connected(desk, "water"), "the line is cut")
    status = until(lambda: _stays_out(desk.node("water")), "water knows why")
    assert "put out" in status["link"] or "does not admit" in status["link"]
    with pytest.raises(SafeRoomError, match="not connected") as caught:
        desk.submit(contract)
    assert (caught.value.party, caught.value.step) == ("water", "submit")
    assert caught.value.remedy
    with pytest.raises(SafeRoomError):
        desk.propose({**ALL, "water": "rows"})


def test_a_quota_that_is_used_up_and_scores_for_the_recipient_alone(desk: Desk, tmp_path: Path) -> None:
    contract = desk.agree(ALL, quotas={"training_jobs": 1, "scores_per_day": 5})
    model = desk.submit(contract)
    desk.finish(model, PARTIES)
    with pytest.raises(RefusedError, match="1 training jobs are used up"):
        desk.submit(contract)

    lists = {rows: _list_of(tmp_path / f"{rows}.csv", rows) for rows in (1, 5, 6)}
    with pytest.raises(RefusedError, match="5 scores a day"):
        desk.node("bank").ask("score.batch", model=model, input=str(lists[6]))
    with pytest.raises(SafeRoomError):
        desk.node("tax").ask("score.batch", model=model, input=str(lists[5]))
    wanted = {"model": model, "rows": 5, "mode": "batch"}
    asked = desk.node("tax").ask("job.submit", contract=contract, kind="score", params=wanted)
    desk.assert_failed(asked["job_id"], PARTIES, names="bank", words="asked for by their recipient")

    job = desk.node("bank").ask("score.batch", model=model, input=str(lists[5]))["job_id"]
    desk.finish(job, PARTIES)
    scores = [party for party in PARTIES if list((desk.node(party).home / "models" / job).glob("scores*"))]
    assert scores == ["bank"]
    with pytest.raises(RefusedError, match="5 scores a day"):
        desk.node("bank").ask("score.batch", model=model, input=str(lists[1]))


def _fill_disk(node: NodeProcess) -> None:
    """From now on the node's process can write no file any further than one byte."""
    limits = psutil.Process(node.process.pid)
    limits.rlimit(psutil.RLIMIT_FSIZE, (1, limits.rlimit(psutil.RLIMIT_FSIZE)[1]))


def _connected(desk: Desk, party: str) -> bool:
    parties = desk.node(COORDINATOR).ask("status")["parties"]
    return next(bool(row["connected"]) for row in parties if row["party"] == party)


def _stays_out(node: NodeProcess) -> dict[str, str] | None:
    """The node's status once it says why its line is down."""
    status = node.ask("status")
    return None if status["connected"] or status["link"] == "not started" else status


def _list_of(file: Path, rows: int) -> Path:
    columns = {name: PARTS["bank"][name][:rows] for name in ("uscc", "bank_a", "bank_b")}
    return write_rows(file, columns)
