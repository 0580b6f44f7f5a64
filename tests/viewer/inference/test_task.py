"""The verbs that a run offers, and the command of each."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ed_core.cli.verbs import VERBS
from ed_core.palette import CLASSES
from ed_core.recording import ArrayInfo, Header, ProbeInfo
from ed_viewer.inference.task import InferenceTask, OfferedVerb, free_folder, offered
from ed_viewer.reading.messages import RunInfo

pytestmark = pytest.mark.viewer
IMAGE: dict[str, Any] = {"image": {"kind": "image", "shape": [8, 8, 1], "input": True}}
ROWS: dict[str, Any] = {"features": {"kind": "signal", "shape": [7], "input": True}}
CODES = ProbeInfo("latent_codes", "latent_codes", {}, {})


def predicted(array: str, *shape: int) -> ProbeInfo:
    info = ArrayInfo((16, *shape), "float16", ("sample", *("axis",) * len(shape)))
    return ProbeInfo(f"predictions {array}", "predictions", {array: info}, {})


def rebuilt(field: str, **options: Any) -> ProbeInfo:
    return ProbeInfo(f"reconstruction {field}", "reconstruction", {}, {"field": field, **options})


def run(fields: Mapping[str, Any], *probes: ProbeInfo, **info: Any) -> RunInfo:
    return RunInfo(1, Path("/runs/one"), Header({}, dict(fields), probes, (), ()), {}, info)


@pytest.mark.parametrize(
    ("made", "names"),
    [
        (run(IMAGE, rebuilt("image"), CODES), ["reconstruct", "encode"]),
        (run(IMAGE, rebuilt("image"), detector={}), ["reconstruct"]),
        (run(IMAGE, rebuilt("image"), detector={"score": "plain"}), ["score", "reconstruct"]),
        (run(IMAGE, predicted("classes", 8, 8)), ["segment"]),
        (run(IMAGE, predicted("probabilities", 10), CODES), ["predict", "encode"]),
        (run(IMAGE, rebuilt("image", compared=False)), []),
    ],
)
def test_a_run_offers_what_its_heads_can_do(made: RunInfo, names: list[str]) -> None:
    assert [verb.name for verb in offered(made)] == names


@pytest.mark.parametrize(
    ("made", "file"),
    [
        (run(IMAGE, rebuilt("image")), ""),
        (run(ROWS, rebuilt("features")), "reconstructions.csv"),
        (run(IMAGE, predicted("classes", 8, 8)), ""),
        (run(IMAGE, predicted("values")), "predictions.csv"),
        (run(IMAGE, predicted("values", 8, 8, 1)), ""),
        (
            run(IMAGE, predicted("values", 8, 8, 1), predicted("probabilities", 3)),
            "predictions.npz",
        ),
    ],
)
def test_pictures_go_into_a_folder_and_numbers_into_a_table(made: RunInfo, file: str) -> None:
    assert offered(made)[0].file == file


def test_scores_of_pictures_have_heat_maps_and_those_of_rows_have_none() -> None:
    facts = {"score": "plain"}
    assert offered(run(IMAGE, detector=facts))[0].options == ("maps",)
    assert offered(run(ROWS, detector=facts))[0].options == ()


@pytest.mark.parametrize(
    "verb",
    [
        OfferedVerb("score", "scores.csv", ("maps",)),
        OfferedVerb("segment", "", ("--overlay",)),
        OfferedVerb("predict", "predictions.csv"),
        OfferedVerb("reconstruct"),
        OfferedVerb("encode", "codes.csv"),
    ],
)
def test_the_command_understands_each_verb(verb: OfferedVerb) -> None:
    task = InferenceTask(Path("/runs/-one"), verb, Path("-my file"), Path("/out"))
    name, *arguments = task.arguments
    command = next(one for one in VERBS if one.name == name)
    given = command.make_context(name, list(arguments)).params
    assert (given["run"], given["input"]) == ("/runs/-one", "-my file")
    assert given["output"] == (f"/out/{verb.file}" if verb.file else "/out")
    assert given.get("maps") == ("/out/maps" if name == "score" else None)
    assert given.get("overlay", False) == (name == "segment")


def test_a_folder_for_results_is_always_a_new_one(tmp_path: Path) -> None:
    source = tmp_path / "solar cells.v2"
    source.mkdir()
    folders = []
    for _ in range(3):
        folders.append(free_folder(source, "score"))
        folders[-1].mkdir()
    names = [folder.name for folder in folders]
    assert names == [f"solar cells.v2-score{end}" for end in ("", "-2", "-3")]
    assert free_folder(tmp_path / "one.png", "segment") == tmp_path / "one-segment"
    other = tmp_path / "other"
    assert free_folder(source, "score", other) == other / "solar cells.v2-score"


def test_the_colours_of_a_mask_have_names() -> None:
    probe = replace(predicted("classes", 8, 8), options={"target": "mask"})
    facts = {"kind": "class", "classes": ["sea", "a & b"], "colours": ["#0000ff"]}
    (verb,) = offered(run({**IMAGE, "mask": facts}, probe))
    assert verb.key == (("#0000ff", "sea"), (CLASSES[1], "a & b"))
