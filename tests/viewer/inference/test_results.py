"""Results beside their inputs, as they lie in their folder."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pytestqt.qtbot import QtBot

from ed_viewer.inference.results import (
    SHOWN,
    InferenceResults,
    ResultRow,
    ResultTable,
    read_results,
    thumbnail,
)
from ed_viewer.inference.task import InferenceTask, OfferedVerb

pytestmark = pytest.mark.viewer


def picture(path: Path, array: np.ndarray | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 6), "u1") if array is None else array).save(path)
    return path


def task(folder: Path, verb: OfferedVerb) -> InferenceTask:
    return InferenceTask(folder / "run", verb, folder / "in", folder / "out")


def test_pictures_stand_beside_their_inputs(tmp_path: Path) -> None:
    for name in ("a.png", "deep/b_1.jpg"):
        picture(tmp_path / "in" / name)
    made = [picture(tmp_path / "out" / name) for name in ("a.png", "deep/b_1.png")]
    picture(tmp_path / "out" / ".edkit" / "hidden.png")
    rows = read_results(task(tmp_path, OfferedVerb("reconstruct"))).rows
    assert [row.name for row in rows] == ["a", "deep/b_1"]
    assert [row.pictures["output"] for row in rows] == made
    assert [row.pictures["input"].name for row in rows] == ["a.png", "b_1.jpg"]


def test_an_overlay_stands_for_its_mask_and_outputs_have_their_names(tmp_path: Path) -> None:
    picture(tmp_path / "in" / "a.png")
    for end in ("land_use", "land_use_overlay"):
        picture(tmp_path / "out" / f"a_{end}.png")
    picture(tmp_path / "out" / "a_height.tif", np.zeros((8, 6), "f4"))
    row = read_results(task(tmp_path, OfferedVerb("segment"))).rows[0]
    assert {*row.pictures} == {"input", "land_use_overlay", "height"}


def test_a_single_file_is_its_own_input(tmp_path: Path) -> None:
    source = picture(tmp_path / "one.png")
    made = picture(tmp_path / "out" / "one.png")
    one = InferenceTask(tmp_path, OfferedVerb("reconstruct"), source, tmp_path / "out")
    row = read_results(one).rows[0]
    assert row.pictures == {"input": source, "output": made}


def test_scores_stand_beside_their_pictures_and_heat_maps(tmp_path: Path) -> None:
    source = picture(tmp_path / "in" / "a.png")
    heat = picture(tmp_path / "out" / "maps" / "a.png")
    (tmp_path / "out" / "scores.csv").write_text("name,score,verdict\na.png,0.123456,odd\nb,1,ok\n")
    rows = read_results(task(tmp_path, OfferedVerb("score", "scores.csv", ("maps",)))).rows
    assert rows[0] == ResultRow(
        "a.png", {"input": source, "heat map": heat}, {"score": "0.123", "verdict": "odd"}
    )
    assert rows[1] == ResultRow("b", {}, {"score": "1", "verdict": "ok"})


def test_of_many_rows_the_first_are_read_and_all_are_counted(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    lines = [f"{number},{number}" for number in range(SHOWN + 50)]
    (tmp_path / "out" / "codes.csv").write_text("\n".join(["name,code_1", *lines]))
    results = read_results(task(tmp_path, OfferedVerb("encode", "codes.csv")))
    assert (len(results.rows), results.count) == (SHOWN, SHOWN + 50)


@pytest.mark.parametrize("kind", ["u2", "f4", "i4"])
def test_a_picture_of_many_bits_is_shown_from_its_lowest_to_its_highest(
    tmp_path: Path, kind: str
) -> None:
    values = np.linspace(0, 1000, 64).reshape(8, 8).astype(kind)
    image = thumbnail(picture(tmp_path / "deep.tif", values), 80)
    assert (image.width(), image.height()) == (80, 80)  # whole pixels, ten times as large
    assert image.pixelColor(0, 0).red() == 0
    assert image.pixelColor(79, 79).red() == 255
    assert image.pixelColor(9, 0) == image.pixelColor(0, 0) != image.pixelColor(10, 9)


def test_what_is_no_number_of_a_picture_is_dark(tmp_path: Path) -> None:
    values = np.full((4, 4), 2.0, "f4")
    values[0] = np.nan
    assert not thumbnail(picture(tmp_path / "gap.tif", values)).isNull()
    assert not thumbnail(picture(tmp_path / "all.tif", np.full((4, 4), np.nan, "f4"))).isNull()


def test_the_table_has_a_column_for_each_picture_and_number(qtbot: QtBot, tmp_path: Path) -> None:
    table = ResultTable()
    qtbot.addWidget(table)
    file = picture(tmp_path / "a.png")
    rows = [ResultRow("a", {"input": file}, {"score": "1"}), ResultRow("b", {}, {"score": "2"})]
    results = InferenceResults(rows, 2)
    table.show_results(results)
    heads = [table.horizontalHeaderItem(n).text() for n in range(table.columnCount())]
    assert heads == ["name", "input", "score"]
    table.paint(InferenceResults(rows, 2), 0, "input", thumbnail(file))  # of an earlier task
    assert table.item(0, 1).icon().isNull()
    table.paint(results, 0, "input", thumbnail(file))
    assert not table.item(0, 1).icon().isNull()
    assert [table.item(n, 2).text() for n in range(2)] == ["1", "2"]
