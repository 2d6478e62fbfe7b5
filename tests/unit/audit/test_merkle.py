"""The tree against the RFC's own definition, the public vectors, and broken proofs."""

from __future__ import annotations

import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from saferoom.audit.formats.merkle import (
    EMPTY_ROOT,
    RightEdge,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)
from saferoom.errors import UsageError, VerificationError

# The entries and roots of the certificate transparency reference tests (RFC 6962 trees of 1 to 8 leaves).
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    4: "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [sha256(bytes([number % 251, number // 251])).digest() for number in range(600)]


def definition(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 word for word: MTH(D[n]) = SHA256(01 ‖ MTH(D[0:k]) ‖ MTH(D[k:n]))."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return sha256(b"\x01" + definition(leaves[:k]) + definition(leaves[k:])).digest()


def subtree(start: int, end: int) -> bytes:
    return definition(LEAVES[start:end])


@pytest.mark.parametrize("size", ROOTS)
def test_known_roots(size: int) -> None:
    assert root_of(map(leaf_hash, ENTRIES[:size])).hex() == ROOTS[size]


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 255, 256, 257, 600])
def test_right_edge_follows_the_definition(size: int) -> None:
    edge = RightEdge(LEAVES[:size])
    assert edge.root() == definition(LEAVES[:size])
    assert len(edge.peaks) == size.bit_count()


@pytest.mark.shared_data
@pytest.mark.parametrize("kind", ["inclusion", "consistency"])
def test_public_vectors(kind: str, shared_vectors_dir: Path) -> None:
    cases = json.loads((shared_vectors_dir / f"merkle_{kind}.json").read_text())
    assert len(cases) > 90
    for case in cases:
        proof = [base64.b64decode(text) for text in case["proof"] or []]
        # One case passes the arithmetic with 12-byte roots: hashes of another length are never accepted here.
        short = kind == "consistency" and len(base64.b64decode(case["root1"] or "")) != 32
        try:
            if kind == "inclusion":
                leaf, root = (base64.b64decode(case[key] or "") for key in ("leafHash", "root"))
                verify_inclusion(case["leafIdx"], case["treeSize"], leaf, proof, root)
            else:
                old, new = (base64.b64decode(case[key] or "") for key in ("root1", "root2"))
                verify_consistency(case["size1"], case["size2"], proof, old, new)
            refused = False
        except VerificationError:
            refused = True
        assert refused == (case["wantErr"] or short), case["name"]


@given(st.data())
def test_inclusion_round_trip(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 80))
    index = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(index, size, subtree)
    root = definition(LEAVES[:size])
    verify_inclusion(index, size, LEAVES[index], proof, root)
    for bad in (proof[:-1], [*proof, bytes(32)], *([proof[0][:31], *proof[1:]] for _ in proof[:1])):
        if bad != proof:
            with pytest.raises(VerificationError):
                verify_inclusion(index, size, LEAVES[index], bad, root)
    other = data.draw(st.integers(0, size - 1).filter(lambda i: i != index)) if size > 1 else size
    with pytest.raises(VerificationError):
        verify_inclusion(other, size, LEAVES[index], proof, root)


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 255), st.integers(0, 20))
def test_consistency_round_trip(first: int, second: int, bit: int, which: int) -> None:
    old, new = sorted((first, second))
    old_root, new_root = definition(LEAVES[:old]), definition(LEAVES[:new])
    proof = consistency_proof(old, new, subtree)
    verify_consistency(old, new, proof, old_root, new_root)
    with pytest.raises(VerificationError):
        verify_consistency(old, new, [*proof, bytes(32)], old_root, new_root)
    if proof:
        spoilt = bytearray(proof[which % len(proof)])
        spoilt[bit // 8] ^= 1 << bit % 8
        bad = [bytes(spoilt) if i == which % len(proof) else p for i, p in enumerate(proof)]
        with pytest.raises(VerificationError):
            verify_consistency(old, new, bad, old_root, new_root)


def test_rewritten_history_has_no_consistency_proof() -> None:
    changed = [*LEAVES[:5], bytes(32), *LEAVES[6:40]]
    proof = consistency_proof(20, 40, lambda start, end: definition(changed[start:end]))
    with pytest.raises(VerificationError, match="history was changed"):
        verify_consistency(20, 40, proof, definition(LEAVES[:20]), definition(changed))


def test_hashes_of_other_lengths_are_refused() -> None:
    with pytest.raises(VerificationError, match="32 bytes"):
        verify_consistency(1, 1, [], b"same", b"same")


def test_proofs_that_make_no_sense_are_usage_errors() -> None:
    with pytest.raises(UsageError):
        inclusion_proof(5, 5, subtree)
    with pytest.raises(UsageError):
        consistency_proof(6, 5, subtree)
    assert consistency_proof(0, 5, subtree) == []
    assert root_of([]) == EMPTY_ROOT
