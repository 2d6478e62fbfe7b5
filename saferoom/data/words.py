"""What a data officer is told of a data set, in English and Chinese: counts and row numbers, never a value.

A remark is kept as what it is about and its facts, and becomes a sentence where somebody reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

Fact: TypeAlias = "str | int | tuple[str, ...]"
"""A column or a count; several are `FORMS`."""

REMARKS: Mapping[str, tuple[str, str]] = {
    # of a column
    "empty": ("column {column!r} has no value at all", "列“{column}”没有任何值"),
    "constant": ("column {column!r} is constant", "列“{column}”只有一个取值"),
    "one_value": (
        "column {column!r} has one value, and gaps: it tells only whether a value is there",
        "列“{column}”只有一个取值和缺失：只能说明是否有值",
    ),
    "many": (
        "column {column!r} has {levels} categories: is it a category, a date or a name?",
        "列“{column}”有 {levels} 个类别：它是类别、日期还是名称？",
    ),
    "unusual": (
        "column {column!r}: {count} of {known} numbers are written with {forms}, first in row {row}",
        "列“{column}”：{known} 个数中有 {count} 个写法特殊（{forms}），首见于第 {row} 行",
    ),
    "percent": (
        "column {column!r}: some numbers are written with %, others without: 5 % is read as 0.05, 5 as 5",
        "列“{column}”：有的数带 %，有的不带：5 % 读作 0.05，5 读作 5",
    ),
    "zeros_numeric": (
        "column {column!r}: {count} numbers have zeros in front, first in row {row}: "
        "if they are codes, set type: categorical",
        "列“{column}”：{count} 个数以 0 开头，首见于第 {row} 行；若是代码，请写 type: categorical",
    ),
    "zeros_codes": (
        "column {column!r}: digits with zeros in front, first in row {row}, are taken for codes: "
        "if they are numbers, set type: numeric",
        "列“{column}”：有以 0 开头的数字，首见于第 {row} 行，按代码处理；若是数值，请写 type: numeric",
    ),
    "dates": (
        "column {column!r}: {count} of {known} values are dates: set type: date, or leave the column out",
        "列“{column}”：{known} 个值中有 {count} 个是日期；请写 type: date，或不用此列",
    ),
    "mostly_numbers": (
        "column {column!r}: {count} of {known} values read as numbers, row {row} does not in a plain "
        "writing; it is taken for categories: set its type",
        "列“{column}”：{known} 个值中有 {count} 个可读作数，第 {row} 行不是普通写法；"
        "此列按类别处理，请写明 type",
    ),
    "text_numbers": (
        "column {column!r}: all {known} values are numbers, but the source keeps them as text; "
        "it is taken for categories: set its type",
        "列“{column}”：{known} 个值都是数，但数据源按文本保存；此列按类别处理，请写明 type",
    ),
    "pandas_index": (
        "column {column!r} is a row number of pandas: it is left out",
        "列“{column}”是 pandas 的行号，不作为特征",
    ),
    # of ids
    "id_missing": (
        "{count} rows left out: id missing; {report} lists them",
        "{count} 行未采用：缺少企业标识，见 {report}",
    ),
    "id_invalid": (
        "{count} rows left out: id invalid; {report} lists them",
        "{count} 行未采用：企业标识无效，见 {report}",
    ),
    "id_conflicting": (
        "{count} rows left out: id conflicting; {report} lists them",
        "{count} 行未采用：同一企业标识的内容互相矛盾，见 {report}",
    ),
    "id_repeated": ("{count} exact repeats left out", "{count} 行完全重复，未采用"),
    "id_digits": (
        "{count} ids are numbers with an exponent, or of more than 15 digits with a point: a program took "
        "them for numbers, and their last digits are lost; format the column as text where it comes from, "
        "and export it again",
        "{count} 个企业标识是带指数的数，或超过 15 位且带小数点：曾被程序当作数值，末尾各位已丢失；"
        "请在来源处把该列设为文本后重新导出",
    ),
    "id_points": (
        "{count} ids are whole numbers written with a point, as a column of numbers with gaps is: "
        "they are read without it",
        "{count} 个企业标识是带小数点的整数（有缺失的数值列常如此），读取时去掉小数点",
    ),
    "id_points_uscc": (
        "{count} ids are whole numbers written with a point, as a column of numbers with gaps is: "
        "zeros in front may be lost",
        "{count} 个企业标识是带小数点的整数（有缺失的数值列常如此），开头的 0 可能已丢失",
    ),
    "id_quoted": (
        "{count} ids stand in a spreadsheet's marks for text, ' or =\"…\": they are read without",
        '{count} 个企业标识带有电子表格的文本标记（\' 或 ="…"），读取时去掉',
    ),
    "id_cut": (
        "all {count} ids of more than 15 digits end in zeros from the 16th on: a spreadsheet has cut them; "
        "format the column as text where it comes from, and export it again",
        "全部 {count} 个超过 15 位的企业标识自第 16 位起都是 0：被电子表格截断；"
        "请在来源处把该列设为文本后重新导出",
    ),
    "id_registration": (
        "{count} ids are 15-digit registration numbers (注册号), no Unified Social Credit Codes: "
        "bring the 18-character codes, or agree with all parties on id_kind: opaque",
        "{count} 个企业标识是 15 位注册号，不是统一社会信用代码：请提供 18 位代码，"
        "或与各方约定 id_kind: opaque",
    ),
    "id_organisation": (
        "{count} ids have 9 characters, as organisation codes (组织机构代码) have: "
        "bring the 18-character codes",
        "{count} 个企业标识为 9 位，像组织机构代码：请提供 18 位代码",
    ),
    "id_short": (
        "{count} ids have 16 or 17 characters instead of 18: some were lost on the way",
        "{count} 个企业标识只有 16 或 17 位，应为 18 位：途中有字符丢失",
    ),
    # of the rest
    "one_class": (
        "the label column {column!r} has one class only: nothing can be trained on it",
        "标签列“{column}”只有一类：无法训练",
    ),
    "same_weight": (
        "the weight column {column!r} is the same in every row, which changes nothing",
        "权重列“{column}”每行相同，不起作用",
    ),
    "no_order": (
        "the query has no ORDER BY: the version changes when the database returns another order",
        "查询没有 ORDER BY：数据库返回的次序一变，版本就会变",
    ),
}

FORMS: Mapping[str, tuple[str, str]] = {
    "full-width characters": ("full-width characters", "全角字符"),
    "thousand separators": ("thousand separators", "千位分隔符"),
    "%": ("%", "%"),
    "‰": ("‰", "‰"),
    "yuan": ("yuan", "人民币符号或“元”"),
    "units such as 万": ("units such as 万", "“万”等单位"),
    "brackets for a minus": ("brackets for a minus", "括号表示负数"),
    "true and false": ("true and false", "true 和 false"),
    "another writing": ("another writing", "其他写法"),
}

PROFILE: Mapping[str, tuple[str, str]] = {
    "name": ("name", "名称"),
    "version": ("version", "版本"),
    "train_rows": ("train rows", "训练行数"),
    "events": ("events", "违约数"),
    "registered": ("registered", "登记时间"),
    "type": ("type", "类型"),
    "missing": ("gaps", "缺失"),
    "levels": ("levels", "类别数"),
    "numbers": ("numbers", "数值占比"),
    "unusual": ("unusual", "特殊写法"),
    "first_unusual_row": ("first in row", "首见行"),
    "constant": ("constant", "只有一个取值"),
    "no_column": ("it has no feature column", "没有特征列"),
    "note": ("note: ", "注意："),
    "more_columns": (
        "{count} more columns ({types}): saferoom data profile {name}",
        "另有 {count} 列（{types}）：saferoom data profile {name}",
    ),
    "more_notes": (
        "{count} more notes: saferoom data profile {name}",
        "另有 {count} 条注意：saferoom data profile {name}",
    ),
    "numeric": ("numeric", "数值"),
    "categorical": ("categorical", "类别"),
    "date": ("date", "日期"),
    "boolean": ("boolean", "是否"),
    "counts": ("counts", "行数"),
    "rows": ("rows", "总数"),
    "clean": ("usable", "可用"),
    "untidy": ("untidy", "标识经整理"),
    "invalid": ("invalid id", "标识无效"),
    "id_missing": ("no id", "缺少标识"),
    "repeated": ("repeated", "重复"),
    "conflicting": ("conflicting", "矛盾"),
}


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing to look at: a key of `REMARKS`, and the facts in it."""

    what: str
    facts: Mapping[str, Fact]

    def text(self, lang: str = "en") -> str:
        return remark_text(self.what, self.facts, lang)


def remark(what: str, **facts: Fact) -> Remark:
    return Remark(what, facts)


def remark_text(what: str, facts: Mapping[str, Fact], lang: str) -> str:
    """The sentence. A fact that is a list names forms of writing."""
    comma = "、" if lang == "zh" else ", "
    told = {
        name: fact if isinstance(fact, str | int) else comma.join(word(FORMS, form, lang) for form in fact)
        for name, fact in facts.items()
    }
    return word(REMARKS, what, lang).format(**told)


def word(table: Mapping[str, tuple[str, str]], key: str, lang: str) -> str:
    return table[key][1 if lang == "zh" else 0]
