"""Keys of the golden contracts' nodes: made of the nodes' names, so that hashes and signatures stay the same.

They protect nothing.
"""

from __future__ import annotations

import hashlib
from functools import cache

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.golden.names import COORDINATOR, HELPER, NodeKeys, PublicKeys

NODES = ("bank", "tax", "utility", "customs", COORDINATOR, HELPER)


@cache
def keys_of(node: str) -> NodeKeys:
    """A node's private keys."""
    return NodeKeys(
        node_id=node,
        signing=Ed25519PrivateKey.from_private_bytes(_seed(node, "signing")),
        sealing=X25519PrivateKey.from_private_bytes(_seed(node, "sealing")),
        log=Ed25519PrivateKey.from_private_bytes(_seed(node, "log")),
        tls=derive_private_key(int.from_bytes(_seed(node, "tls")[:31]), SECP256R1()),
    )


def public_keys() -> dict[str, PublicKeys]:
    """What is pinned of all nodes."""
    return {node: keys_of(node).public() for node in NODES}


def _seed(node: str, purpose: str) -> bytes:
    return hashlib.sha256(f"golden {node} {purpose}".encode()).digest()
