"""The words of `remarks`, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping

REMARKS: Mapping[str, tuple[str, str]] = {
    "one_class": (
        "{rows}行只有一类结果，无法衡量模型好坏。",
        "The {rows} rows are of one class: how good the model is cannot be measured on them.",
    ),
    "few": (
        "{rows}行中较少的一类只有 {count} 家：不应据此下任何结论。",
        "Of the {rows} rows the smaller class has {count}: nothing should be concluded from them.",
    ),
    "scarce": (
        "{rows}行中较少的一类只有 {count} 家：各项数字只是粗略的。",
        "Of the {rows} rows the smaller class has {count}: all figures are rough.",
    ),
    "gain": (
        "联合优于单方：{rows} AUC 提升 {value}（95% 区间 {low} 至 {high}，{test}，{p}）。",
        "Joint is better than alone: AUC {value} on the {rows} rows (95 %: {low} to {high}; {test}, {p}).",
    ),
    "gain_open": (
        "联合与单方的{rows} AUC 相差 {value}（95% 区间 {low} 至 {high}，{test}，{p}）：可能只是偶然。",
        "Joint and alone differ by AUC {value} on the {rows} rows (95 %: {low} to {high}; {test}, {p}):"
        " that may be chance.",
    ),
    "loss": (
        "联合不如单方：{rows} AUC 相差 {value}（95% 区间 {low} 至 {high}，{test}，{p}）。",
        "Joint is worse than alone: AUC {value} on the {rows} rows (95 %: {low} to {high}; {test}, {p}).",
    ),
    "delong": ("DeLong 配对检验", "DeLong's paired test"),
    "independent": (
        "联合评分无人知晓，视作相互独立，区间因而偏宽",
        "nobody knows the joint scores, which are taken for independent, so that the interval is too wide",
    ),
    "fit_open": (
        "预测违约率与实际相比，未发现超出偶然的偏差（Hosmer–Lemeshow {statistic}，自由度 {degrees}，{p}）。",
        "Predicted and observed default rates do not differ beyond chance"
        " (Hosmer–Lemeshow {statistic}, {degrees} degrees of freedom, {p}).",
    ),
    "misfit": (
        "预测违约率与实际不符（Hosmer–Lemeshow {statistic}，自由度 {degrees}，{p}）。"
        "企业很多时，很小的偏差也会显现：请看校准曲线。",
        "Predicted default rates differ from the observed ones (Hosmer–Lemeshow {statistic},"
        " {degrees} degrees of freedom, {p}). With many rows small deviations show, too:"
        " see the calibration curve.",
    ),
    "above": (
        "等级 {grade} 承诺违约率{range}，{count} 家企业中实际为 {rate}（95% 区间 {low} 至 {high}，{p}）："
        "承诺未兑现。",
        "Grade {grade} promises a default rate {range} and shows {rate} on {count} rows"
        " (95 %: {low} to {high}; {p}): the promise is broken.",
    ),
    "below": (
        "等级 {grade} 承诺违约率{range}，{count} 家企业中实际仅为 {rate}（95% 区间 {low} 至 {high}，{p}）："
        "等级定得过低。",
        "Grade {grade} promises a default rate {range} and shows {rate} on {count} rows"
        " (95 %: {low} to {high}; {p}): the grade is worse than its enterprises.",
    ),
    "outside": (
        "等级 {grade} 承诺违约率{range}，{count} 家企业中实际为 {rate}（95% 区间 {low} 至 {high}，{p}）："
        "超出承诺，可能只是偶然。",
        "Grade {grade} promises a default rate {range} and shows {rate} on {count} rows"
        " (95 %: {low} to {high}; {p}): outside its promise, which may be chance.",
    ),
    "surprise": (
        "等级 {grade} 平均预测 {predicted}，{count} 家企业中实际违约率为 {rate}（{p}）：预测不符。",
        "Grade {grade} predicts {predicted} on average and shows {rate} on {count} rows ({p}):"
        " the prediction is off.",
    ),
    "kept": (
        "{grades} 级兑现承诺（精确二项检验，单侧 5%）。",
        "Grades that keep their promise: {grades} (exact binomial tests, one-sided, 5 %).",
    ),
    "open": (
        "{grades} 级：没有证据表明违背承诺，但企业数不足以证明兑现。",
        "Grades {grades}: nothing speaks against the promise, and the rows are too few to show that it is"
        " kept.",
    ),
    "thin": (
        "{grades} 级：违约（或正常）不足 10 家，无法判断是否兑现承诺。",
        "Grades {grades}: fewer than 10 defaults (or good cases), too few to judge the promise by.",
    ),
    "rises": (
        "违约率随等级逐级上升，每一级均超出偶然（Fisher 精确检验，单侧 5%）。",
        "Default rates rise from grade to grade, each step beyond chance"
        " (Fisher's exact test, one-sided, 5 %).",
    ),
    "rises_open": (
        "违约率随等级上升，但 {better} 级到 {worse} 级可能只是偶然（{p}）。",
        "Default rates rise from grade to grade, but from {better} to {worse} that may be chance ({p}).",
    ),
    "falls": (
        "{worse} 级的违约率低于 {better} 级（相差 {difference}，{p}）。",
        "Grade {worse} has a lower default rate than {better} (by {difference}; {p}).",
    ),
    "falls_open": (
        "{worse} 级的违约率低于 {better} 级（相差 {difference}，{p}）：可能只是偶然。",
        "Grade {worse} has a lower default rate than {better} (by {difference}; {p}): that may be chance.",
    ),
    "empty": (
        "{grades} 级没有企业，无法判断违约率是否逐级上升。",
        "No enterprise has grade {grades}: whether default rates rise from grade to grade cannot be said.",
    ),
    "unsuited_crowded": (
        "{share} 的企业都在 {grade} 级：等级方案不适合这批企业。",
        "{share} of the enterprises have grade {grade}: the scheme does not suit this portfolio.",
    ),
    "unsuited_empty": (
        "{grades} 级是空的：等级方案不适合这批企业。",
        "Grade {grades} is empty: the scheme does not suit this portfolio.",
    ),
    "calibrate": (
        "可重新校准：saferoom grade calibrate scores.csv {targets} --out grades.yaml",
        "Cut it anew: saferoom grade calibrate scores.csv {targets} --out grades.yaml",
    ),
    "no_targets": (
        "这批企业分不出同样多的等级：请减少等级，或待企业增多后再用 saferoom grade calibrate 重新校准。",
        "These rows cannot tell so many grades apart: take fewer grades, or more rows, and cut them anew with"
        " saferoom grade calibrate.",
    ),
    "other_cuts": (
        "评分无人知晓，无法重新校准：请在下一份合约中约定其他分界。",
        "Nobody knows the scores, so that it cannot be calibrated: agree on other cuts in the next contract.",
    ),
    "at_most": ("不超过 {high}", "of at most {high}"),
    "between": ("在 {low} 至 {high} 之间", "between {low} and {high}"),
    "more_than": ("超过 {low}", "of more than {low}"),
    "rows_test": ("测试", "held-out"),
    "rows_train": ("训练", "training"),
}
