"""A detector: chosen on synthetic defects, its threshold kept in the run, used by score."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from keras import Input, Model, layers
from PIL import Image

import ed_core
from ed_core import Dataset, EdkitError, Field, Fields, Head, Run, dataset, losses, model, open_run
from ed_core.cli import main
from ed_core.evaluation.anomaly import detect, scores
from ed_core.evaluation.calibration import best_score, calibrate, rate_interval
from ed_core.plugins.decorators import DATASETS, MODELS

pytestmark = pytest.mark.backend

SHAPE = (12, 12, 1)
RAMP = np.linspace(0.2, 0.8, 12, dtype="float32")[None, None, :, None]


def ramps(count: int, seed: int) -> np.ndarray:
    """Return ramps of several slopes with a little noise: one number says all but that."""
    random = np.random.default_rng(seed)
    slope = 0.2 + 0.8 * random.random((count, 1, 1, 1))
    return (slope * RAMP + 0.02 * random.random((count, *SHAPE))).astype("float32")


def normal_only() -> Dataset:
    """Return normal images alone, and nothing that says so."""
    splits = {"train": {"image": ramps(64, 0)}, "validation": {"image": ramps(200, 1)}}
    return Dataset(Fields(image=Field(SHAPE)), splits)


def labelled() -> Dataset:
    """Return normal images, and others with a bright square, with masks."""
    image, label = ramps(40, 2).copy(), np.arange(40) % 2
    mask = np.zeros((40, 12, 12), "int32")
    mask[label == 1, 4:8, 4:8] = 1
    image[mask > 0] = 0.9
    fields = Fields(
        image=Field(SHAPE),
        kind=Field((), "class", ("Good", "scratch")),
        where=Field((12, 12), "class", ("background", "scratch")),
    )
    return Dataset(fields, {"test": {"image": image, "kind": label, "where": mask}})


def line(fields: Fields) -> Model:
    """One number of 144, linear."""
    image, code = Input(SHAPE, name="image"), Input((1,), name="code")
    numbers = layers.Dense(1, use_bias=False, name="numbers")(layers.Flatten()(image))
    encoder = Model({"image": image}, {"code": numbers}, name="encoder")
    decoded = layers.Reshape(SHAPE)(layers.Dense(144, use_bias=False, name="pixels")(code))
    decoder = Model({"code": code}, {"image": decoded}, name="decoder")
    return Model({"image": image}, decoder(encoder({"image": image})))


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(normal_only)
        dataset(labelled)
        model(data="normal_only", heads=(Head("image", losses.sum_squared_error),))(line)
        yield


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Return a run whose weights are what they would become: the projection on the ramp."""
    trained = ed_core.train("line", epochs=1, batch_size=16, record=False, out=tmp_path / "runs")
    flat = np.broadcast_to(RAMP, (1, *SHAPE)).reshape(144)
    trained.model.layer_weights[0].assign((flat / (flat @ flat))[:, None])
    trained.model.layer_weights[1].assign(flat[None])
    from ed_core.runs.rebuilding import save_weights

    save_weights(trained.model, trained.folder.weights)
    return open_run(trained.path)


def test_a_calibration_is_kept_and_scores_samples_of_ones_own(run: Run) -> None:
    result = calibrate(run, rate=0.05)
    assert (result["threshold_count"], result["split"]) == (200, "validation")
    assert (result["rate_low"], result["rate_high"]) == rate_interval(200, 0.05)
    tried = {name: v for name, v in result.items() if name.startswith("synthetic_auroc_")}
    assert {"squared", "smoothed", "ssim", "multiscale", "mahalanobis"} <= {
        name.removeprefix("synthetic_auroc_") for name in tried
    }
    assert tried[f"synthetic_auroc_{result['score']}"] > max(0.9, max(tried.values()) - 0.02)
    again = open_run(run.path)
    held = ramps(200, 1)
    found = again.score(held, maps=True)
    assert found["score"] == pytest.approx(scores(run, {"image": held}), rel=1e-3, abs=1e-4)
    assert (found["score"] > result["threshold"]).mean() == pytest.approx(0.05, abs=0.011)
    np.testing.assert_array_equal(found["verdict"] == "odd", found["score"] > result["threshold"])
    assert found["map"].shape == (200, 12, 12)
    ranks = found["score"].argsort().argsort() / 200
    assert found["probability"] == pytest.approx(ranks, abs=0.02)
    odd = labelled().splits["test"]
    verdicts = again.score(odd["image"])
    assert (verdicts["verdict"][odd["kind"] == 1] == "odd").all()
    assert (verdicts["probability"][odd["kind"] == 1] == 1).all()


@pytest.mark.parametrize(
    "name", ["squared", "smoothed_2", "ssim", "mahalanobis", "mahalanobis+ssim"]
)
def test_a_score_can_be_named(run: Run, name: str) -> None:
    result = calibrate(run, rate=0.1, score=name)
    assert result["score"] == open_run(run.path).detector.score == name
    assert not any(key.startswith("synthetic") for key in result)
    found = open_run(run.path).score(ramps(200, 1))
    assert (found["verdict"] == "odd").mean() == pytest.approx(0.1, abs=0.011)


def test_real_defects_choose_nothing_and_labelled_data_give_their_normal_samples(run: Run) -> None:
    with pytest.warns(UserWarning, match="20 held-out normal samples are too few"):
        result = calibrate(run, "labelled", rate=0.01)
    assert (result["threshold_count"], result["data"]) == (20, "labelled")


@pytest.mark.once
def test_a_sum_is_taken_where_no_single_score_is_better_for_sure() -> None:
    tried = {"defect": 0.98, "smoothed": 0.9, "defect+smoothed": 0.975, "defect+ssim": 0.974}
    assert best_score(tried, 150) == "defect+smoothed"  # the standard error is 0.008
    assert best_score(tried, 1000) == "defect"  # ... 0.003
    assert best_score({**tried, "defect+smoothed": 0.99}, 1000) == "defect+smoothed"
    assert best_score({**tried, "defect+multiscale": 0.973}, 150) == "defect+multiscale"
    assert best_score({"squared": 0.5}, 1) == "squared"
    assert best_score({"squared": 1.0, "ssim": 0.99}, 10) == "squared"


def test_without_a_class_a_sample_is_odd_where_its_mask_is(run: Run) -> None:
    calibrate(run, rate=0.02, score="smoothed")
    whole = labelled()
    fields = Fields({name: whole.fields[name] for name in ("image", "where")})
    arrays = {name: whole.splits["test"][name] for name in fields}

    def masked() -> Dataset:
        """Return the same without a class of a sample."""
        return Dataset(fields, {"test": arrays})

    with DATASETS.isolated():
        dataset(masked)
        by_mask = detect(run, "masked")
    by_class = detect(run, "labelled")
    assert by_mask["only"] == "no defect in the mask"
    for name in ("auroc", "f1", "abnormal_count", "pixel_auroc", "expert_auroc"):
        assert by_mask[name] == by_class[name]


def test_odd_samples_and_pixels_are_measured_beside_an_experts_floor(run: Run) -> None:
    calibrate(run, rate=0.02, score="smoothed")
    result = detect(run, "labelled")
    assert (result["only"], result["rate"], result["score"]) == ("kind=Good", 0.02, "smoothed")
    assert [result[n] for n in ("auroc", "average_precision", "detection_rate")] == [
        pytest.approx(1)
    ] * 3
    assert (result["normal_count"], result["abnormal_count"], result["odd_share"]) == (20, 20, 0.5)
    assert result["f1"] == pytest.approx(40 / (40 + 20 * result["false_positive_rate"]))
    assert result["all_odd_f1"] == pytest.approx(2 / 3)
    assert result["pixel_auroc"] > 0.9
    assert result["aupro"] > 0.8
    for name in ("auroc", "average_precision", "f1", "pixel_auroc", "aupro"):
        assert 0 <= result[f"expert_{name}"] <= 1
    other = detect(run, "labelled", only={"kind": "scratch"})
    assert other["auroc"] == 0
    assert detect(run, "labelled", rate=0.2)["threshold"] < result["threshold"]


def test_a_run_without_a_calibration_scores_but_has_no_verdict(run: Run) -> None:
    found = run.score({"image": ramps(3, 5)}, maps=True)
    assert set(found) == {"score", "map"}
    calibrate(run, rate=0.1, score="mahalanobis")
    with pytest.raises(EdkitError, match=r"'mahalanobis' .* has no map"):
        open_run(run.path).score(ramps(3, 5), maps=True)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"rate": 0.0}, "--rate is a share"),
        ({"score": "elbo"}, "score of .*'elbo'"),
        ({"score": "squared+none"}, "'none'"),
        ({"data": "digits"}, "field|fit"),
    ],
)
def test_mistakes_are_one_line_and_leave_the_run_as_it_was(
    run: Run, given: dict[str, Any], said: str
) -> None:
    before = run.folder.info_file.read_bytes()
    with pytest.raises(EdkitError, match=said) as caught:
        calibrate(run, **given)
    assert "\n" not in str(caught.value)
    assert run.folder.info_file.read_bytes() == before


@pytest.mark.parametrize(
    "wrong",
    [{"score": "none"}, {"score": "mahalanobis"}, {"score": "squared+ssim", "scales": {}}],
)
def test_a_foreign_calibration_is_refused_in_one_line(run: Run, wrong: dict[str, Any]) -> None:
    calibrate(run, rate=0.1, score="squared")
    info = run.folder.read()
    run.folder.update(detector={**info["detector"], **wrong})
    with pytest.raises(EdkitError, match="cannot give"):
        open_run(run.path).score(ramps(2, 0))
    run.folder.update(detector={**info["detector"], "threshold": "high"})
    with pytest.raises(EdkitError, match=r"detector\.threshold must be a number"):
        open_run(run.path)


def test_the_commands_go_from_files_to_scores_and_heat_maps(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = labelled().splits["test"]["image"][:4]
    np.save(tmp_path / "new.npy", odd)
    for number, image in enumerate(odd):
        pixels = (image[..., 0] * 255).astype("uint8")
        path = tmp_path / "photos" / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(pixels).resize((24, 24), Image.NEAREST).save(path)
    table, maps = tmp_path / "scores.csv", tmp_path / "maps"
    score = ["score", str(run.path), str(tmp_path / "photos"), "-o", str(table)]
    assert main(score) == 2
    assert "edkit calibrate" in capsys.readouterr().err
    assert not table.exists()
    assert main(["calibrate", str(run.path), "--rate", "0.05", "--score", "smoothed"]) == 0
    assert "so many allow" in capsys.readouterr().out
    assert main([*score, "--maps", str(maps)]) == 0
    rows = pd.read_csv(table)
    assert list(rows) == ["name", "score", "probability", "verdict"]
    assert list(rows["verdict"][1::2]) == ["odd", "odd"]
    heat = []
    for name in ("0.png", "1.png"):
        with Image.open(maps / name) as image:
            assert image.size == (24, 24)
            heat.append(np.asarray(image).sum(axis=2))
    assert heat[1][8:16, 8:16].min() > 1.2 * heat[0].mean()  # white is thrice 255
    other = ["score", str(run.path), str(tmp_path / "new.npy"), "-o"]
    assert main([*other, str(tmp_path / "new.csv"), "--maps", str(maps)]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert main([*other, str(tmp_path / "folder")]) == 2
    assert "scores are a table" in capsys.readouterr().err
    capsys.readouterr()
    assert main(["calibrate", str(run.path), "--rate", "0.05", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["threshold_count"] == 200
    assert main(["evaluate", str(run.path), "--anomaly", "--data", "labelled"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "expert's PCA" in shown
    assert "average_precision" in shown
