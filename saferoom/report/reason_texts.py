"""What a model keeps in English, in Chinese: why a column is not in it, and the names of special bins."""

from __future__ import annotations

import re
from collections.abc import Mapping

REASONS: Mapping[str, str] = {
    r"no value in the training rows": "训练行中没有取值",
    r"constant in the training rows": "训练行中取值不变",
    r"constant in the training rows after clipping": "截尾后训练行中取值不变",
    r"constant in the training rows after clipping; its indicator of missing values is kept": (
        "截尾后训练行中取值不变，仅保留其缺失指示列"
    ),
    r"all training rows hold one and the same value": "所有训练行取值相同",
    r"apart from one value, or group of values, it has fewer than (\d+) training rows": (
        r"除某一取值（或一组取值）外，训练行不足 \1 行"
    ),
    r"no two bins with enough training rows or defaults are left": "剩余分箱的训练行数或违约数不足以分成两箱",
    r"its information value is below the contract's minimum": "信息值低于合约规定的下限",
    r"its variance inflation factor is above the contract's max_vif": (
        "方差膨胀因子高于合约规定的上限（max_vif）"
    ),
    r"its coefficient has the wrong sign": "系数符号相反",
    r"it repeats column '(.*)'": r"与列“\1”重复",
}
"""Patterns of whole reasons as the code writes them."""


BIN_WORDS: Mapping[str, str] = {"missing": "缺失", "other": "其他", "special": "特殊值"}
_BIN_WORD = re.compile(r"(^| or )(missing|other|special)(?= or |$| [-\d])")


def bin_name(english: str, lang: str) -> str:
    """In the reader's language. Levels keep their names; those that look like these words stand in quotes."""
    if lang != "zh":
        return english
    return _BIN_WORD.sub(lambda found: f"{'或' if found[1] else ''}{BIN_WORDS[found[2]]}", english)


def reason(english: str, lang: str) -> str:
    """In the reader's language; as it stands where there is no Chinese for it."""
    if lang == "zh":
        for pattern, chinese in REASONS.items():
            found = re.fullmatch(pattern, english)
            if found:
                return found.expand(chinese)
    return english
