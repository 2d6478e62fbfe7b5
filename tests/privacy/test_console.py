"""No page of the console, whatever a reader clicks, holds an identifier of the data sets behind the logs."""

from __future__ import annotations

import html
import re
from collections import Counter, deque
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urljoin

import pytest

from saferoom.console.reading.evidence import Evidence
from saferoom.console.reading.opened import Reliance
from tests.console_room import visitor
from tests.node_room import enterprises, opened_nodes, three_party_columns, write_rows
from tests.task_room import play

ROWS, ASKED = 400, 20
OF_A_KIND = 20
KINDS_OF_PAGES = {
    "/",
    "/logs",
    "/contracts",
    "/contract",
    "/jobs",
    "/job",
    "/search",
    "/lifecycle",
    "/export",
    "/entries/bank/N",
    "/entries/bank/N/bytes",
    "/fragments/proof/bank/N",
    "/export/log/bank",
    "/export/selection.csv",
    "/export/selection.ocsf.jsonl",
    "/export/selection.jsonl",
    "/logs/bank/checkpoint",
    "/chart",
}
LINK = re.compile(r'(?:href|hx-get|data-chart)="([^"#]+)')


def kind(address: str) -> str:
    """Pages of one kind differ in ids and numbers only."""
    return re.sub(r"[0-9a-f]{32}|\d+", "N", address.partition("?")[0])


def crawl(evidence: Evidence) -> Iterator[tuple[str, str]]:
    """(address, content) of pages that links lead to, in both languages, downloads too; so many of a kind."""
    client = visitor(evidence)
    for lang in ("en", "zh"):
        client.get(f"/language/{lang}")
        waiting, known, of_kind = deque(["/"]), {"/"}, Counter[str]()
        while waiting:
            address = waiting.popleft()
            answer = client.get(address)
            assert answer.status_code == 200, address
            content = html.unescape(answer.text)
            yield address, content
            for link in LINK.findall(answer.text):
                there = urljoin(address, html.unescape(link))
                if there in known or there.startswith("/language/") or of_kind[kind(there)] == OF_A_KIND:
                    continue
                known.add(there)
                of_kind[kind(there)] += 1
                waiting.append(there)


def traces(codes: list[str]) -> frozenset[str]:
    """The codes and their digests, as they could be written on a page."""
    return frozenset(
        text for code in codes for text in (code, code.lower(), sha256(code.encode()).hexdigest())
    )


def found(content: str, marks: frozenset[str]) -> set[str]:
    """The traces in a page."""
    windows = (
        word[at : at + size]
        for word in set(re.findall(r"[0-9A-Za-z]{18,}", content))
        for size in (18, 64)
        for at in range(len(word) - size + 1)
    )
    return marks.intersection(windows)


@pytest.fixture(scope="module")
def codes_and_evidence(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], Evidence]]:
    """Two jobs on canary codes, nodes that try to log some, and their logs opened."""
    with opened_nodes(tmp_path_factory.mktemp("canaries")) as nodes:
        codes, parts = enterprises(ROWS)
        for party, columns in parts.items():
            nodes.add_data(
                party, "rows", columns, **({"label": "y", "split": "split"} if party == "bank" else {})
            )
        contract = nodes.activate(nodes.draft(three_party_columns()))
        trained = play(nodes, contract)
        asked = {name: parts["bank"][name][:ASKED] for name in ("uscc", "bank_a", "bank_b")}
        file: Path = write_rows(nodes.folder / "asked.csv", asked)
        scored = play(
            nodes,
            contract,
            "score",
            params={"model": trained.job_id, "rows": ASKED},
            local={"bank": {"input": str(file)}},
        )
        assert trained.error is None and scored.error is None
        bank = nodes.cores["bank"]
        bank.record("job.failed", outcome="failed", contract=contract, reason=f"cannot parse row {codes[0]}")
        evidence = Evidence.open(
            [home.log for home in nodes.homes.values()],
            Reliance.of(core.log_verifier_key() for core in nodes.cores.values()),
        )
        evidence.verify_all()
        yield codes, evidence


def test_no_page_holds_an_identifier(codes_and_evidence: tuple[list[str], Evidence]) -> None:
    codes, evidence = codes_and_evidence
    marks, kinds = traces(codes), set()
    for address, content in crawl(evidence):
        assert found(content, marks) == set(), address
        kinds.add(kind(address))
    assert kinds >= KINDS_OF_PAGES


def test_the_search_for_traces_finds_them() -> None:
    codes, _ = enterprises(2)
    marks = traces(codes)
    assert found(f"<td>x{codes[0]}y</td>", marks) == {codes[0]}
    assert found(sha256(codes[1].encode()).hexdigest(), marks) == {sha256(codes[1].encode()).hexdigest()}
