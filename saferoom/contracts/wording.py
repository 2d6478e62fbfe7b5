"""What `explain` says besides the words of `kinds.learns`, in English and Chinese."""

from __future__ import annotations

from typing import Literal, TypeAlias

Language: TypeAlias = Literal["en", "zh"]
Texts: TypeAlias = tuple[str, str]


def pick(texts: Texts, lang: Language) -> str:
    return texts[0] if lang == "en" else texts[1]


HEADINGS: dict[str, Texts] = {
    "purpose": ("Purpose", "用途"),
    "basis": ("Legal basis", "法律依据"),
    "until": ("Valid until", "有效期至"),
    "kept": (
        "Kept: what a job leaves is destroyed at every node {days} days after the job's end, when the"
        " contract ends, or when a party revokes it or orders it destroyed",
        "保存:作业留下的内容在作业结束 {days} 天后、合约到期时,或任一方撤销合约或要求销毁时,在各节点销毁",
    ),
    "columns": ("Columns brought in, none of which leaves its party:", "各方投入的列(均不离开本方):"),
    "learns": ("{who} learns", "{who} 将得知"),
    "shape": ("shape", "形状"),
    "abuse": ("could be abused", "可能的滥用"),
    "nothing_else": (
        "Nothing else is disclosed: a node refuses whatever is not in this list.",
        "除此之外不披露任何内容:不在此表中的一律被节点拒绝。",
    ),
    "witnessing": (
        "Each node's audit log is vouched for by {quorum} of {witnesses}, its owner not counted",
        "每个节点的审计日志须由 {witnesses} 中的 {quorum} 方见证(日志所有者自己不计)",
    ),
    "assumes": ("Holds only if", "以下假设成立时才安全"),
    "warnings": ("Think about before signing", "签署前请考虑"),
}

WARNINGS: dict[str, Texts] = {
    "two_parties": (
        "with two parties, {who} subtracts its own part from a score and has {other}'s part of it",
        "只有两方:{who} 从评分中减去自己的部分,就得到 {other} 的部分",
    ),
    "single_column": (
        "{party} brings a single feature column: its part of a score, where known, shows the column's order",
        "{party} 只带来一个特征列:谁得知其评分部分,谁就得知该列的大小顺序",
    ),
    "bin_counts": (
        "a feature holder learns how many defaults fall into each bin of its own columns (bins of at least"
        " {rows} rows and {events} defaults), and so the default rate of all training rows; {who} learns"
        " the same numbers of defaults without rows, columns or edges",
        "特征方得知自己各列每个分箱中的违约数(每箱至少 {rows} 行、{events} 个违约),从而得知训练行的违约率;"
        "{who} 得知同样的违约数,但不知行数、列与边界",
    ),
    "tree_sums": (
        "{who} learns, for every candidate split of the other parties' columns, sums of gradients and events"
        " on its left side, in a secret order, without column or value; no sum covers fewer than {rows} rows",
        "{who} 得知他方各列每个候选分裂左侧各行的梯度与违约数之和(次序保密,不知道列与取值);"
        "每个和至少含 {rows} 行",
    ),
    "many_sums": (
        "with fewer than {rows} training rows, sums of so many trees of this depth let {who} work out on"
        " which side of the other parties' cuts many rows lie: agree on a larger minimum_rows, or on fewer or"
        " shallower trees",
        "训练行少于 {rows} 行时,这么多、这么深的树的和足以让 {who} 推算出许多行位于他方切分点的哪一侧:"
        "请约定更大的 minimum_rows,或减少树的数量或深度",
    ),
    "tree_rows": (
        "every party learns which training rows each node of each tree holds: which rows lie on the same side"
        " of another party's split and, since rows of a leaf tend to default alike, something of labels",
        "各方均得知每棵树的每个节点含有哪些训练行:哪些行位于他方某个分裂的同一侧;"
        "同一叶中的行违约情况往往相近,因此也会透露一些标签信息",
    ),
    "first_trees": (
        "the first trees tell defaults apart best, and use the columns of all parties: with own_trees the"
        " first ones use those of {who} alone",
        "最初几棵树最能区分违约,且使用各方的列:设置 own_trees 可使最初几棵树只使用 {who} 的列",
    ),
    "largest_gradients": (
        "each tree grows on the rows of the largest gradients (top_rate): which rows these are tells every"
        " feature holder of most defaults, where defaults are rare",
        "每棵树只用梯度最大的行(top_rate):在违约较少时,各特征方由这些行即可得知大部分违约企业",
    ),
    "tree_scores": (
        "{who} knows the weight of every leaf: a score narrows down the leaves that an enterprise reaches,"
        " and so on which side of the other parties' splits it lies",
        "{who} 知道每个叶的权重:评分会缩小企业可能到达的叶的范围,从而得知其位于他方分裂的哪一侧",
    ),
    "split_values": (
        "for reason codes, each party but {who} learns how the average log-odds on the two sides of its own"
        " splits differ, in steps of about a point: of many trees on few training rows this tells which of"
        " them defaulted",
        "为给出原因代码,{who} 以外的各方得知自己每个分裂两侧的平均对数几率相差多少(约以一分为单位);"
        "树很多而训练行很少时,由此可得知其中哪些行违约",
    ),
    "single_column_splits": (
        "{party} brings a single feature column: all its splits are of that column, so the sides on which"
        " rows lie show the column's order",
        "{party} 只带来一个特征列:其所有分裂都在该列上,各行位于哪一侧就显示该列的大小顺序",
    ),
    "no_own_features": (
        "{party} brings no feature of its own: scores are made of the other parties' columns alone",
        "{party} 自己没有特征列:其得到的评分完全由他方的列构成",
    ),
    "single_queries": (
        "single enterprises can be scored, up to {limit} a day: many queries on one enterprise show how its"
        " score moves when the data change",
        "可逐户查询评分(每日至多 {limit} 次):对同一企业多次查询可看出其评分随数据的变化",
    ),
    "no_consent": (
        "no consent of the enterprises is required for the rows of {parties}",
        "{parties} 的数据行不要求企业授权",
    ),
    "version": (
        "no version of the data is pinned for {parties}: the data may change while the contract is in force",
        "{parties} 的数据集未固定版本:合约有效期内数据可能变化",
    ),
}
