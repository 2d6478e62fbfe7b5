"""The synthetic room: valid codes, the same bytes for a seed, and joint clearly better than alone."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import yaml

from saferoom.errors import StorageError, UsageError
from saferoom.ids import is_valid_uscc, normalise_uscc
from saferoom.lab.codes import REGIONS, synthetic_codes
from saferoom.lab.synthetic import write_synthetic_room
from saferoom.models.alone import fit_alone
from saferoom.models.metrics import metrics_summary

File = dict[str, dict[str, str]]


def read(path: Path) -> tuple[File, int]:
    """Rows by normalised valid id, and how many lines the file has."""
    with path.open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    rows = {normalise_uscc(line["uscc"]): line for line in lines}
    return {code: row for code, row in rows.items() if is_valid_uscc(code)}, len(lines)


def matrix(files: list[File], ids: list[str]) -> np.ndarray:
    columns = []
    for file in files:
        for name in set(file[ids[0]]) - {"uscc", "y", "split"}:
            texts = [file[i][name] for i in ids]
            try:
                values = np.array([float(text) if text else np.nan for text in texts])
            except ValueError:
                columns += [
                    np.array([text == level for text in texts], float) for level in sorted(set(texts))
                ]
                continue
            values[np.isnan(values)] = np.nanmedian(values)
            values = np.clip(values, *np.quantile(values, [0.005, 0.995]))
            columns.append((values - values.mean()) / values.std())
    return np.array(columns).T


def test_codes_are_valid_distinct_from_sichuan_and_recognisable() -> None:
    codes = [code.decode() for code in synthetic_codes(5000, np.random.default_rng(0)).tolist()]
    assert len(set(codes)) == 5000
    assert all(is_valid_uscc(code) for code in codes)
    assert {code[2:8] for code in codes} == set(REGIONS)
    assert all(code.startswith("9151") and code[8:10] == "XX" for code in codes)


def test_organisation_codes_carry_their_own_check_character() -> None:
    for code in synthetic_codes(200, np.random.default_rng(1)).tolist():
        body, check = code.decode()[8:16], code.decode()[16]
        total = sum(int(c, 36) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
        assert check == "0123456789X0"[11 - total % 11]


def test_too_many_codes_are_refused() -> None:
    with pytest.raises(UsageError):
        synthetic_codes(10**9, np.random.default_rng(0))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("synthetic")
    write_synthetic_room(path)
    return path


def test_overlap_default_rate_gaps_and_wrong_ids(folder: Path) -> None:
    bank, bank_lines = read(folder / "bank.csv")
    tax, tax_lines = read(folder / "tax.csv")
    power, _ = read(folder / "power.csv")
    new, new_lines = read(folder / "new.csv")
    assert (bank_lines, new_lines) == (12_000, 2_000)
    assert 5 < bank_lines - len(bank) < 100
    assert tax_lines - len(tax) > 5
    common = set(bank) & set(tax) & set(power)
    assert 0.85 < len(common) / bank_lines < 0.92
    assert set(tax) - set(bank) - set(new)
    assert len(set(new) & set(tax) & set(power)) > 1500
    assert not set(new) & set(bank)
    assert 0.07 < np.mean([row["y"] == "1" for row in bank.values()]) < 0.1
    assert {row["split"] for row in bank.values()} == {"train", "test"}
    assert 0.02 < np.mean([row["tax_arrears_10k"] == "" for row in tax.values()]) < 0.04
    assert {"y", "split"}.isdisjoint(next(iter(new.values())))


def test_some_ids_are_untidy_and_files_lie_in_different_order(folder: Path) -> None:
    raw = {}
    for name in ("bank", "tax"):
        with (folder / f"{name}.csv").open(encoding="utf-8") as file:
            raw[name] = [line["uscc"] for line in csv.DictReader(file)]
    untidy = [code for code in raw["bank"] if code != normalise_uscc(code)]
    assert 0.03 < len(untidy) / len(raw["bank"]) < 0.045
    assert any("-" in code for code in untidy)
    assert any(code != code.upper() for code in untidy)
    assert any(ord(code[0]) > 0xFF00 for code in untidy)
    place = {normalise_uscc(code): at for at, code in enumerate(raw["tax"])}
    order = [place[code] for code in map(normalise_uscc, raw["bank"]) if code in place]
    assert abs(np.corrcoef(order, np.arange(len(order)))[0, 1]) < 0.1


def test_three_parties_together_clearly_beat_each_alone(folder: Path) -> None:
    files = [read(folder / f"{name}.csv")[0] for name in ("bank", "tax", "power")]
    ids = sorted(set.intersection(*map(set, files)))
    y = np.array([float(files[0][i]["y"]) for i in ids])
    train = np.array([files[0][i]["split"] == "train" for i in ids])

    def test_auc(chosen: list[File]) -> float:
        x = matrix(chosen, ids)
        return metrics_summary(y[~train], fit_alone(x[train], y[train], x[~train], l2=1.0).test_pd)["auc"]

    alone = [test_auc([file]) for file in files]
    joint = test_auc(files)
    assert 0.67 < alone[0] < 0.74
    assert 0.78 < joint < 0.85
    assert joint > max(alone) + 0.05


def test_one_seed_one_result_and_another_seed_another(tmp_path: Path) -> None:
    for name, seed in (("one", 7), ("two", 7), ("three", 8)):
        write_synthetic_room(tmp_path / name, rows=600, new_rows=50, seed=seed)
    for file in ("bank.csv", "tax.csv", "power.csv", "new.csv", "room.yaml"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()
    assert (tmp_path / "one" / "bank.csv").read_bytes() != (tmp_path / "three" / "bank.csv").read_bytes()


def test_the_room_file_names_the_files_written(folder: Path) -> None:
    room = yaml.safe_load((folder / "room.yaml").read_text(encoding="utf-8"))
    assert room["label_holder"] == "bank"
    assert all((folder / party["source"]).is_file() for party in room["parties"].values())


def test_too_few_rows_and_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="at least"):
        write_synthetic_room(tmp_path, rows=10)
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_synthetic_room(tmp_path / "file" / "folder", rows=600)
