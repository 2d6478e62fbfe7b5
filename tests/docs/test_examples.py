"""Every example file under configs/ and parties/ is accepted by the code that reads it in a node."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from saferoom.contracts.contract import Contract
from saferoom.contracts.draft import draft_contract
from saferoom.contracts.policy import load_policy, policy_reasons
from saferoom.data.dataset import DatasetDescription, describe_file
from saferoom.files.yaml_text import read_yaml
from saferoom.identity.keys import NodeKeys
from saferoom.identity.public import PublicKeys
from saferoom.ids import COORDINATOR, HELPER
from saferoom.jobs.home import Home
from saferoom.lab.room import load_room
from saferoom.node.settings import load_settings
from saferoom.node.setup import init_party
from saferoom.scoring.grades import scheme_from_dict

ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2025, 1, 2, tzinfo=UTC)
PARTIES = ("bank", "tax", "utility")


class _KeysOfAll(dict[str, PublicKeys]):
    """Keys for whatever nodes a draft names."""

    def __contains__(self, node: object) -> bool:
        return isinstance(node, str)

    def __missing__(self, node: str) -> PublicKeys:
        self[node] = NodeKeys.generate(node).public()
        return self[node]


def _draft(path: Path) -> Contract:
    return draft_contract(read_yaml(path, "draft"), _KeysOfAll(), now=NOW)


def _grades(path: Path) -> Any:
    return scheme_from_dict(yaml.safe_load(path.read_text(encoding="utf-8")))


READERS: dict[str, Callable[[Path], Any]] = {
    "configs/contracts": _draft,
    "configs/policies": load_policy,
    "configs/datasets": describe_file,
    "configs/grades": _grades,
    "configs/rooms": load_room,
}
BY_NAME: dict[str, Callable[[Path], Any]] = {
    "node.yaml": load_settings,
    "dataset.yaml": describe_file,
    "policy.yaml": load_policy,
    "contract.yaml": _draft,
}
CONFIGS = sorted((ROOT / "configs").rglob("*.yaml"))
DEPLOYED = sorted((ROOT / "parties").rglob("*.yaml"))


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", CONFIGS, ids=_name)
def test_configs_are_accepted(path: Path) -> None:
    assert READERS[_name(path.parent)](path)


@pytest.mark.parametrize("path", DEPLOYED, ids=_name)
def test_deployment_files_are_accepted(path: Path) -> None:
    assert BY_NAME[path.name](path)


def test_every_folder_of_examples_is_read() -> None:
    assert {_name(path.parent) for path in CONFIGS} <= set(READERS)
    assert {path.parent.name for path in DEPLOYED} == {COORDINATOR, *PARTIES}


@pytest.mark.parametrize("party", PARTIES)
def test_example_settings_are_what_init_writes(party: str, tmp_path: Path) -> None:
    example = load_settings(ROOT / "parties" / party / "node.yaml")
    home = Home.at(tmp_path / "home")
    init_party(home, example.node_id, example.organisation, NOW)
    assert load_settings(home.settings) == example


@pytest.fixture(scope="module")
def contract() -> Contract:
    return _draft(ROOT / "parties" / COORDINATOR / "contract.yaml")


@pytest.mark.parametrize("party", PARTIES)
def test_policies_allow_the_example_contract(contract: Contract, party: str) -> None:
    policy = load_policy(ROOT / "parties" / party / "policy.yaml")
    assert policy_reasons(policy, contract, party, NOW) == []


@pytest.mark.parametrize("party", PARTIES)
def test_the_example_contract_names_the_example_data(contract: Contract, party: str) -> None:
    data: DatasetDescription = describe_file(ROOT / "parties" / party / "dataset.yaml")
    its = contract.parties[party]
    assert its.dataset == data.name
    assert its.organisation == load_settings(ROOT / "parties" / party / "node.yaml").organisation
    described = {data.id: "id", data.label_column: "label", data.split: "split"}
    described |= {column.name: "feature" for column in data.columns or ()}
    described.pop(None, None)
    if data.columns is not None:
        assert dict(its.columns) == described
    assert its.consent_required == (data.consent is not None)


def test_yaml_in_the_data_page_is_a_data_set(tmp_path: Path, fenced: Callable[..., list[str]]) -> None:
    """The page shows one whole description; parts of others begin with another key."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    whole = [body for body in fenced(page, "yaml") if re.match(r"name:", body)]
    assert whole
    for body in whole:
        (tmp_path / "dataset.yaml").write_text(body, encoding="utf-8")
        assert describe_file(tmp_path / "dataset.yaml")


def test_service_files_let_a_node_write_its_home_alone() -> None:
    for unit in (ROOT / "parties").rglob("*.service"):
        text = unit.read_text(encoding="utf-8")
        assert re.findall(r"^ReadWritePaths=(.*)$", text, re.MULTILINE) == ["/var/lib/saferoom"]
        assert "--home /var/lib/saferoom " in text
        assert "NoNewPrivileges=true" in text


def test_helper_and_coordinator_are_no_parties(contract: Contract) -> None:
    assert not {COORDINATOR, HELPER} & set(contract.parties)
