"""Three parties and a coordinator, opened once for this folder: contracts are cheap, homes are not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from saferoom.contracts.contract import Contract
from tests.node_room import Nodes, enterprises, opened_nodes, three_party_columns


@pytest.fixture(scope="session")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    with opened_nodes(tmp_path_factory.mktemp("nodes")) as nodes:
        _, parts = enterprises(200)
        for party, columns in parts.items():
            label = {"label": "y", "split": "split"} if party == "bank" else {}
            nodes.add_data(party, "rows", columns, **label)
        yield nodes


@pytest.fixture
def contract(nodes: Nodes) -> Contract:
    """A contract that nobody has heard of yet."""
    return nodes.draft(three_party_columns())
