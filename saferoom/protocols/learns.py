"""The vocabulary of disclosures: every kind of value a node can learn in a job, and how it might be abused.

Protocols name these kinds when they disclose or reveal; contracts declare them; the log records them; a
test compares the three. What is not listed here cannot be disclosed.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of disclosure: `shape` in words, and the known ways it could be abused."""

    name: str
    shape: str
    meaning: str
    abuse: str


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "set_sizes",
            "parties × 1, and overlaps",
            "how many enterprises each party offers, and how the sets overlap, under pseudonyms",
            "the helper can compare sizes of the same party's sets over time",
        ),
        Kind(
            "intersection",
            "aligned rows",
            "which of its own enterprises every party holds",
            "membership in another party's customer base becomes known",
        ),
        Kind("widths", "1 per party", "how many prepared columns each party brings", "none known"),
        Kind(
            "split",
            "aligned rows",
            "which aligned rows are for training and which are held out",
            "none known",
        ),
        Kind(
            "coefficients",
            "own prepared columns",
            "the coefficients of its own columns",
            "signs and sizes hint at how the other parties' columns correlate with its own",
        ),
        Kind("intercept", "1", "the model's intercept", "none known"),
        Kind(
            "score",
            "scored rows",
            "the joint score of each enterprise",
            "with two parties the score minus its own part is the other's part; of trees it hints at leaves",
        ),
        Kind(
            "points",
            "scored rows",
            "the joint points of each enterprise: the sum of all parties' scorecard tables",
            "with two parties the points minus its own are the other party's points",
        ),
        Kind(
            "range_check",
            "1",
            "whether the training scores lie within the sigmoid's range and the fit converged",
            "none known",
        ),
        Kind(
            "anonymous_events",
            "bins of a feature holder, shuffled",
            "how many events lie in each of a feature holder's bins, not knowing which bin is which",
            "the spread of the counts says how strongly the other party's columns go with default",
        ),
        Kind(
            "bin_events",
            "own bins",
            "which of its own bins hold the minimum of events, and how many events lie in each merged bin",
            "the difference of two nearly equal bins of two columns is a count over few enterprises",
        ),
        Kind(
            "vif",
            "WOE columns of all parties, each round",
            "how far each column, known by its position alone, is explained by the others together",
            "that some party's column nearly repeats others becomes known",
        ),
        Kind(
            "left_out",
            "1, each round",
            "which column, by position, is left out, or how many columns a party leaves out",
            "none known",
        ),
        Kind(
            "standard_errors",
            "own WOE columns",
            "the standard errors of its own coefficients",
            "a large one says that other parties' columns nearly repeat its own",
        ),
        Kind(
            "reason_codes",
            "asked rows × reasons, and published names",
            "which features cost each asked enterprise most, by the names that their owners publish",
            "over many enterprises the codes show which features matter, and for whom they are poor",
        ),
        Kind(
            "split_sums",
            "candidate splits of a feature holder, each tree",
            "sums of gradients, hessians and events left of each candidate split, in a secret order",
            "it knows each row's gradient, so a sum over few rows could tell which rows are in it",
        ),
        Kind(
            "chosen_splits",
            "own candidate splits, each tree",
            "which of its own candidate splits were taken, and in which node",
            "early and frequent splits say that a column goes strongly with default",
        ),
        Kind(
            "tree_rows",
            "training rows, each tree",
            "which training rows each node of each tree holds",
            "rows that part lie on two sides of some party's split; rows of one leaf tend to default alike",
        ),
        Kind(
            "tree_shapes",
            "trees",
            "which trees the model keeps, and which leaves they have",
            "none known",
        ),
        Kind(
            "split_values",
            "own splits",
            "how the average log-odds on the two sides of each of its own splits differ",
            "they say how strongly, and which way, its own columns go with default; of many trees on few"
            " rows, which of them defaulted",
        ),
        Kind(
            "query",
            "asked rows",
            "which of its enterprises the recipient asks scores for",
            "the feature holders see whom the bank is interested in",
        ),
    )
}
