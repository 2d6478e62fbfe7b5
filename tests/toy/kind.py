"""A kind of task that the package does not know: how many enterprises all parties hold. What it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, StrictInt

from saferoom.kinds.base import JobKind, Pairs, PolicyLimits, TaskKind, Terms, Warned
from saferoom.kinds.fields import Strict


class CountParams(Strict):
    """`at_least`: a smaller count is told to nobody."""

    at_least: Annotated[StrictInt, Field(ge=2)] = 20


class Count(JobKind):
    """`count`: align, and keep the number of rows. Takes no parameters."""

    name = "count"
    uses = ("count",)
    leaves = "count"

    def discloses(self, terms: Terms) -> Pairs:
        sizes = {("set_sizes", helper) for helper in terms.helpers}
        return frozenset(sizes | {("intersection", party) for party in terms.party_ids()})


class CommonRows(TaskKind):
    name = "common_rows"
    title = ("count of common enterprises", "共有企业数")
    params = CountParams
    roles = ("member",)
    forms = frozenset({"count"})
    jobs = (Count(),)
    work = "tests.toy.task"

    def role_problems(self, terms: Terms) -> list[str]:
        return [
            f"{party}: a member brings its ids and nothing else"
            for party in terms.party_ids()
            if terms.role_of(party) != "member" or len(terms.columns_of(party, "id")) != 1
        ]

    def objections(self, terms: Terms) -> list[str]:
        without = sorted(set(terms.party_ids()) - set(terms.recipients("count")))
        return [f"{party} learns the count, and no such output is named" for party in without]

    def warnings(self, terms: Terms) -> list[Warned]:
        texts = (
            "{n} parties learn which of their enterprises all hold",
            "{n} 方得知自己的哪些企业为各方共有",
        )
        return [(texts, {"n": len(terms.party_ids())})]

    def limits(self, limits: PolicyLimits, terms: Terms) -> list[str]:
        if terms.params.at_least >= limits.minimum_bin_rows:
            return []
        return [f"a count of {terms.params.at_least} is below our {limits.minimum_bin_rows}"]

    def usual_outputs(self, roles: Mapping[str, str], release: str = "") -> list[dict[str, str]]:
        return [{"to": party, "form": "count"} for party in roles]


KIND: Any = CommonRows()
