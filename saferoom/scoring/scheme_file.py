"""Grade schemes in files: as people write them (`configs/grades/`), as a job keeps them (`grades.json`)."""

from __future__ import annotations

from pathlib import Path

from saferoom.errors import ConfigError
from saferoom.files.yaml_text import read_yaml
from saferoom.scoring.grades import GradeScheme, scheme_from_dict
from saferoom.scoring.standard import standard_scheme

_REMEDY = "compare it with configs/grades/"


def read_scheme(path: Path | None) -> GradeScheme:
    """The scheme of a YAML or JSON file; the standard one without a file.

    Raises ConfigError naming the file, and the line or the grade.
    """
    if path is None:
        return standard_scheme()
    content = read_yaml(path, "grade scheme", remedy=_REMEDY)
    try:
        return scheme_from_dict(content)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error.message}", remedy=_REMEDY) from error
