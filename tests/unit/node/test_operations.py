"""Verbs: which node has which, and how they are put together and answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from saferoom.errors import ConfigError, StorageError, UsageError
from saferoom.ids import COORDINATOR as COORDINATOR_ID
from saferoom.node.daemons.party import Party
from saferoom.node.operations.base import Noun, Operations, Plain, verb, verbs_of
from saferoom.node.operations.roles import COORDINATOR, PARTY, coordinator_operations, party_operations
from tests.node_room import Nodes, three_party_columns

PARTY_VERBS = """
    audit.read successor.sign keys.show status party.renew
    contract.approve contract.explain contract.list contract.refuse contract.review contract.revoke
    contract.show
    data.add data.check data.list data.profile data.propose data.remove
    job.cancel job.list job.permit job.show job.submit job.watch
    model.card model.destroy model.export model.list model.show model.stability
    report.issue score.batch score.one score.result subject.unlink
"""
COORDINATOR_VERBS = """
    audit.read successor.sign keys.show status party.enrol party.remove
    contract.draft contract.explain contract.list contract.revoke contract.show
    job.cancel job.list job.show job.submit job.watch
"""
ROLES = ((PARTY, PARTY_VERBS), (COORDINATOR, COORDINATOR_VERBS))


class Bells(Noun[Party]):
    """A noun to try things on."""

    @verb("bell.ring")
    def ring(self, args: Plain) -> Plain:
        """One answer."""
        return {"rung": args["times"]}

    @verb("bell.peal")
    def peal(self, args: Plain) -> Iterator[Plain]:
        """A stream of answers."""
        yield from ({"rung": number} for number in range(args["times"]))


class Alarms(Noun[Party]):
    """Another noun that rings."""

    @verb("bell.ring")
    def ring(self, _args: Plain) -> Plain:
        """The same name as a bell's."""
        return {}


def ask(operations: Operations[Any], verb: str, **args: Any) -> list[Plain]:
    return list(operations.handle(verb, args))


@pytest.mark.parametrize(("nouns", "expected"), ROLES, ids=("party", "coordinator"))
def test_the_verbs_of_a_role(nouns: tuple[type[Noun[Any]], ...], expected: str) -> None:
    assert sorted(verbs_of(nouns)) == sorted(expected.split())


@pytest.mark.parametrize("nouns", (PARTY, COORDINATOR), ids=("party", "coordinator"))
def test_every_verb_says_what_it_does(nouns: tuple[type[Noun[Any]], ...]) -> None:
    silent = [name for name, one in verbs_of(nouns).items() if not (one.method.__doc__ or "").strip()]
    assert not silent


@pytest.mark.parametrize("nouns", ((Bells, Alarms), (Bells, Bells)), ids=("another noun", "the same noun"))
def test_a_verb_that_is_declared_twice_is_refused(nouns: tuple[type[Noun[Any]], ...]) -> None:
    with pytest.raises(UsageError, match=r"'bell\.\w+' is declared by Bells and again by"):
        verbs_of(nouns)


def test_one_answer_and_a_stream(nodes: Nodes) -> None:
    operations = Operations(nodes.cores["bank"], None, (Bells,))
    assert ask(operations, "bell.ring", times=3) == [{"rung": 3}]
    assert ask(operations, "bell.peal", times=3) == [{"rung": 0}, {"rung": 1}, {"rung": 2}]


def test_nothing_happens_before_the_first_item_is_asked_for(nodes: Nodes) -> None:
    core = nodes.cores["bank"]
    size = core.log.size
    answers = party_operations(core, None).handle("audit.read", {"what": "all"})
    assert core.log.size == size
    assert list(answers) == [{"log_size": size + 1}]


def test_a_verb_of_the_other_role_is_refused_at_once(nodes: Nodes) -> None:
    with pytest.raises(UsageError, match=r"^a party's node does not do 'contract\.draft'") as caught:
        party_operations(nodes.cores["bank"], None).handle("contract.draft", {})
    assert (caught.value.party, "--home" in caught.value.remedy) == ("bank", True)
    with pytest.raises(UsageError, match=r"^a coordinator's node does not do 'model\.list'"):
        coordinator_operations(nodes.cores[COORDINATOR_ID], None).handle("model.list", {})


def test_what_needs_the_daemon_says_how_to_start_it(nodes: Nodes) -> None:
    contract = nodes.activate(nodes.draft(three_party_columns())).id
    party = party_operations(nodes.cores["bank"], None)
    coordinator = coordinator_operations(nodes.cores[COORDINATOR_ID], None)
    for operations, who, role in (
        (party, "the node", "party"),
        (coordinator, "the coordinator", "coordinator"),
    ):
        with pytest.raises(UsageError, match=f"^{who} is not up") as caught:
            ask(operations, "job.submit", contract=contract, kind="train")
        assert caught.value.remedy == f"start it with `saferoom {role} up`"


def test_a_missing_argument_is_named(nodes: Nodes) -> None:
    with pytest.raises(UsageError, match="the argument 'contract' is missing"):
        ask(party_operations(nodes.cores["bank"], None), "contract.show")


def test_a_registration_that_cannot_be_read_is_named_and_can_be_removed(nodes: Nodes) -> None:
    bank = party_operations(nodes.cores["bank"], None)
    (nodes.homes["bank"].data / "newer.json").write_text('{"kind": "of tomorrow"}', encoding="utf-8")
    (status,) = ask(bank, "status")
    assert status["datasets"] == ["newer", "rows"]
    with pytest.raises(StorageError, match=r"newer\.json cannot be read"):
        ask(bank, "data.list")
    assert ask(bank, "data.remove", dataset="newer") == [{"removed": "newer"}]
    event = nodes.events("bank")[-1]
    assert (event["type"], event["object"]["dataset"]) == ("dataset.removed", "newer")
    assert len(ask(bank, "data.list")[0]["datasets"]) == 1
    size = nodes.cores["bank"].log.size
    with pytest.raises(ConfigError, match="no data set 'newer'"):
        ask(bank, "data.remove", dataset="newer")
    assert nodes.cores["bank"].log.size == size


def test_status_while_the_node_is_down(nodes: Nodes) -> None:
    (status,) = ask(party_operations(nodes.cores["bank"], None), "status")
    assert (status["up"], status["connected"], status["link"]) == (False, False, "the node is not up")
    assert status["remedy"] == "start it with `saferoom party up`"
    (status,) = ask(coordinator_operations(nodes.cores[COORDINATOR_ID], None), "status")
    assert (status["up"], {row["connected"] for row in status["parties"]}) == (False, {False})
