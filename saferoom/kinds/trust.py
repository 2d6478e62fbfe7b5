"""Trust modes: who helps, and what a contract must accept by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from saferoom.ids import HELPER
from saferoom.kinds.base import Texts
from saferoom.kinds.fields import listed

Trust: TypeAlias = Literal["assisted", "strict"]
Assumption: TypeAlias = Literal[
    "semi_honest_parties", "helper_does_not_collude", "two_party_score_reveals_part"
]

ASSUMPTIONS: dict[Assumption, Texts] = {
    "semi_honest_parties": (
        "every party follows the protocol, though it may study all it receives",
        "各方都按协议执行,但可能研究收到的一切内容",
    ),
    "helper_does_not_collude": (
        "the coordinator's helper shares nothing with any party; with one, it could undo the masking",
        "协调方的辅助服务不与任何一方串通;若与某一方串通,即可去除掩码",
    ),
    "two_party_score_reveals_part": (
        "with two parties, whoever learns a score can subtract its own part and has the other's part",
        "只有两方时,得到评分的一方减去自己的部分,就得到对方的部分",
    ),
}


@dataclass(frozen=True, slots=True)
class TrustMode:
    """`helpers`: endpoints beside the parties. `assumptions`: to be accepted because of the mode."""

    name: Trust
    title: Texts
    is_supported: bool
    helpers: tuple[str, ...] = ()
    assumptions: frozenset[Assumption] = frozenset()

    def objections(self) -> list[str]:
        """Why a contract in this mode cannot be carried out."""
        if self.is_supported:
            return []
        supported = listed(mode.name for mode in MODES.values() if mode.is_supported)
        return [f"trust mode {self.name} is not supported by this version; use {supported}"]

    def required(self, parties: int, *, tells_scores: bool = True) -> frozenset[Assumption]:
        """What a contract among so many parties must accept by name."""
        always: set[Assumption] = {"semi_honest_parties"}
        if parties == 2 and tells_scores:
            always.add("two_party_score_reveals_part")
        return self.assumptions | always


MODES: dict[Trust, TrustMode] = {
    "assisted": TrustMode(
        "assisted",
        ("assisted", "协助模式（assisted）"),
        is_supported=True,
        helpers=(HELPER,),
        assumptions=frozenset({"helper_does_not_collude"}),
    ),
    "strict": TrustMode("strict", ("strict", "严格模式（strict）"), is_supported=False),
}

TRUSTS: tuple[Trust, ...] = get_args(Trust)
