"""The grade scheme a job uses if its contract names none: the content of `configs/grades/standard.yaml`."""

from __future__ import annotations

from typing import Any

from saferoom.scoring.grades import GradeScheme, scheme_from_dict

STANDARD: dict[str, Any] = {
    "scheme": "standard",
    "by": "pd",
    "title": {"zh": "标准四级", "en": "Four standard grades"},
    "grades": [
        {
            "name": "A",
            "up_to": 0.03,
            "title": {"zh": "守信激励", "en": "Recommended"},
            "supervision": {
                "zh": ["列入推荐名单", "政策“免申即享”", "降低抽查频次"],
                "en": [
                    "on the recommended list",
                    "benefits without application (“apply-free”)",
                    "fewer inspections",
                ],
            },
        },
        {
            "name": "B",
            "up_to": 0.08,
            "title": {"zh": "辅导培育", "en": "Coaching"},
            "supervision": {
                "zh": ["列入辅导名单", "提供融资与合规辅导", "按常规频次抽查"],
                "en": [
                    "on the coaching list",
                    "coaching on finance and compliance",
                    "inspections at the usual rate",
                ],
            },
        },
        {
            "name": "C",
            "up_to": 0.2,
            "title": {"zh": "重点监管", "en": "Key supervision"},
            "supervision": {
                "zh": ["列入重点监管名单", "提高抽查频次", "贷款须人工复核"],
                "en": [
                    "on the key supervision list",
                    "more frequent inspections",
                    "loans need a person's review",
                ],
            },
        },
        {
            "name": "D",
            "title": {"zh": "失信约束", "en": "Restricted"},
            "supervision": {
                "zh": ["限制享受优惠政策", "要求增信或担保", "专人跟踪整改"],
                "en": [
                    "excluded from preferential policies",
                    "collateral or a guarantee required",
                    "followed up by a named officer",
                ],
            },
        },
    ],
}


def standard_scheme() -> GradeScheme:
    """Four grades A to D by probability of default."""
    return scheme_from_dict(STANDARD)
