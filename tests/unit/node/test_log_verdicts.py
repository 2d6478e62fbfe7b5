"""What a party knows of all nodes' logs: its own by a check, others' by what it cosigned or was given."""

from __future__ import annotations

from saferoom.audit import DataObject, verify_log
from saferoom.audit.formats.checkpoint import Checkpoint
from saferoom.audit.formats.note import split_note
from saferoom.contracts.contract import Contract
from saferoom.ids import COORDINATOR
from saferoom.node.operations.log_verdicts import log_verdicts
from tests.node_room import PARTIES, Nodes


def test_its_own_log_is_checked_and_of_others_nothing_is_claimed(nodes: Nodes, contract: Contract) -> None:
    bank = nodes.cores["bank"]
    bank.record("dataset.removed", object=DataObject.of("rows"))
    lines = {line["node"]: line for line in log_verdicts(bank, contract, {})}
    assert list(lines) == [COORDINATOR, *PARTIES]
    own = verify_log(bank.home.log, [bank.log_verifier_key()])
    assert (lines["bank"]["entries"], lines["bank"]["root"]) == (own.size, own.root)
    assert lines["bank"]["passed"] is True
    unseen = {"entries": None, "root": "", "problem": "", "passed": None, "says": ["", ""]}
    assert lines["power"] == {"node": "power", **unseen}


def test_a_checkpoint_that_it_cosigned_is_named_without_a_verdict(nodes: Nodes, contract: Contract) -> None:
    bank, tax = nodes.cores["bank"], nodes.cores["tax"]
    tax.record("dataset.removed", object=DataObject.of("rows"))
    note = tax.log.checkpoint()
    head = Checkpoint.parse(split_note(note)[0])
    bank.witness.store.put(head, note)
    line = next(line for line in log_verdicts(bank, contract, {}) if line["node"] == "tax")
    assert (line["entries"], line["root"], line["passed"]) == (head.size, head.root.hex(), None)


def test_verdicts_of_whoever_looked_stand_as_they_were_given(nodes: Nodes, contract: Contract) -> None:
    bank, power = nodes.cores["bank"], nodes.cores["power"]
    power.record("dataset.removed", object=DataObject.of("rows"))
    well = verify_log(power.home.log, [power.log_verifier_key()]).to_dict()
    broken = {
        **well,
        "ok": False,
        "verdict": "INVALID",
        "faults": ["entry 2 does not hash to its leaf", "another"],
    }
    for given, problem in ((well, ""), (broken, "entry 2 does not hash to its leaf; another")):
        line = next(one for one in log_verdicts(bank, contract, {"power": given}) if one["node"] == "power")
        assert (line["entries"], line["root"]) == (well["size"], well["root"])
        assert (line["passed"], line["problem"]) == (given["ok"], problem)


def test_nobody_gives_a_verdict_on_its_own_log(nodes: Nodes, contract: Contract) -> None:
    bank = nodes.cores["bank"]
    bank.record("dataset.removed", object=DataObject.of("rows"))
    given = {"bank": {"verdict": "INVALID", "ok": False, "size": 1, "root": "", "faults": ["x"]}}
    line = next(one for one in log_verdicts(bank, contract, given) if one["node"] == "bank")
    assert (line["passed"], line["problem"]) == (True, "")
