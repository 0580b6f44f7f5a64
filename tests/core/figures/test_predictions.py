"""The figures of what heads predict: chosen by what a target is, and with the right numbers."""

import runpy
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure
from sklearn.metrics import confusion_matrix

import ed_core
from ed_core import Field, Run
from ed_core.confusion import intersection_over_union
from ed_core.figures.confusion import confusions, groups_of
from ed_core.figures.draw import draw_figures
from ed_core.figures.figure_data import FigureData, material, names_of
from ed_core.figures.predictions import (
    confusion,
    heads_of,
    maps,
    positions,
    predicted,
    regressions,
    truth,
)
from ed_core.figures.reconstructions import signals, videos
from ed_core.figures.segmentation import colours_of, segmentations
from ed_core.figures.sheets import coloured, input_pictures
from ed_core.figures.style import STYLE
from ed_core.labels import class_name, class_names
from ed_core.palette import CLASSES, class_colour
from ed_core.plugins.decorators import DATASETS, MODELS

pytestmark = [pytest.mark.backend, pytest.mark.once]


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        runpy.run_path(str(Path(__file__).parents[2] / "support" / "scenes.py"))
        yield


@pytest.fixture(autouse=True)
def style(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in STYLE.items():
        monkeypatch.setitem(rcParams, key, value)


@pytest.fixture(scope="module")
def seer(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("seer")
    return ed_core.train("seer", epochs=2, batch_size=16, record=False, out=out)


@pytest.fixture(scope="module")
def player(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("player")
    return ed_core.train("player", epochs=1, batch_size=16, record=False, out=out)


@pytest.fixture(scope="module")
def shown(seer: Run) -> FigureData:
    return material(seer)[0]


@pytest.fixture(scope="module")
def made(seer: Run) -> dict[str, np.ndarray]:
    """What the model makes of the validation split, in its order."""
    return seer.model.predict({"image": seer.data.splits["validation"]["image"]}, verbose=0)


def head(shown: FigureData, name: str) -> ed_core.Head:
    return next(head for head in shown.run.model.heads if head.name == name)


def texts(figure: Figure) -> list[str]:
    return [
        text.get_text()
        for axes in figure.axes
        for text in (*axes.texts, axes.title, axes._left_title)  # type: ignore[attr-defined]
    ]


def test_the_figures_of_a_run_follow_from_its_heads(seer: Run, player: Run, tmp_path: Path) -> None:
    names = [path.stem for path in draw_figures(seer, tmp_path)]
    assert names == [
        "confusion_fine",
        "confusion_coarse",
        "regression_angle",
        "segmentation_mask",
        "map_height",
    ]
    assert [path.stem for path in draw_figures(player, tmp_path)] == ["signals", "videos"]


def test_heads_are_told_apart_by_their_targets(shown: FigureData) -> None:
    named = {
        (kind, axes): [head.name for head in heads_of(shown, kind, axes)]
        for kind in ("class", "value")
        for axes in (0, 2)
    }
    assert named == {  # the code is as long as there are classes, but no probabilities
        ("class", 0): ["fine", "coarse"],
        ("class", 2): ["mask"],
        ("value", 0): ["angle"],
        ("value", 2): ["height"],
    }


def test_a_head_that_had_no_weight_is_not_drawn(seer: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(seer.info, "weights", {"fine": 0.0})
    assert [head.name for head in heads_of(material(seer)[0], "class", 0)] == ["coarse"]
    assert list(confusions(material(seer))) == ["coarse"]


def test_truth_has_no_axis_of_one_and_says_what_is_missing(shown: FigureData) -> None:
    whole = shown.whole
    assert truth(whole, head(shown, "height")).shape == (40, 8, 8)
    assert predicted(whole, head(shown, "height")).shape == (40, 8, 8)
    assert predicted(whole, head(shown, "angle")).shape == (40,)
    assert np.flatnonzero(np.isnan(truth(whole, head(shown, "angle")))).tolist() == [5]
    assert (truth(whole, head(shown, "mask"))[:, 0, :2] == -1).all()
    assert [positions(Field((), "class")), positions(Field((4, 4, 1), "value"))] == [0, 2]


def test_a_masked_target_is_missing(shown: FigureData) -> None:
    half = ed_core.Head("angle", ed_core.losses.mean_squared_error, mask="seen")
    seen = np.arange(40) % 2
    masked = FigureData(shown.run, {**shown.whole.samples, "seen": seen}, shown.fields)
    assert np.isnan(truth(masked, half)[::2]).all()
    assert np.isfinite(truth(masked, half)[1::2]).sum() == 19  # one of twenty was missing before


@pytest.mark.parametrize(("name", "field"), [("fine", "label"), ("mask", "mask")])
def test_a_confusion_matrix_counts_the_whole_validation_split(
    shown: FigureData, made: dict[str, np.ndarray], name: str, field: str
) -> None:
    target = shown.run.data.splits["validation"][field]
    known = target >= 0
    wanted = confusion_matrix(
        target[known],
        made[name].argmax(axis=-1)[known],
        labels=range(made[name].shape[-1]),
    )
    assert confusion(shown.whole, head(shown, name)).tolist() == wanted.tolist()


def test_a_run_of_other_classes_is_not_drawn_beside(shown: FigureData) -> None:
    heads = [head(shown, "fine")]
    model = SimpleNamespace(heads=heads, output={"fine": SimpleNamespace(shape=(None, 3))})
    run = SimpleNamespace(model=model, info=shown.run.info, was_trained=lambda head: True)
    few = FigureData(run, shown.whole.samples, shown.fields, "few")  # type: ignore[arg-type]
    few.__dict__["outputs"] = {"fine": np.full((40, 3), 1 / 3)}
    assert [own.name for own in heads_of(few, "class", 0)] == ["fine"]
    assert len(confusions([shown, few])["fine"].axes) == 1


def test_a_fine_matrix_stands_in_coarse_groups(
    shown: FigureData, made: dict[str, np.ndarray]
) -> None:
    group, names = groups_of(shown, head(shown, "fine"))
    assert group.tolist() == [1, 0, 1, 0]
    assert names == ["even", "odd"]
    assert groups_of(shown, head(shown, "coarse"))[1] == []  # `label` is no function of `coarse`

    figures = confusions([shown])
    axes = figures["fine"].axes[0]
    order = ["two", "four", "one", "three"]
    assert [tick.get_text() for tick in axes.get_yticklabels()] == order
    assert [tick.get_text() for tick in axes.get_xticklabels()] == order
    label = shown.run.data.splits["validation"]["label"]
    counts = confusion_matrix(label, made["fine"].argmax(axis=-1))[
        np.ix_([1, 3, 0, 2], [1, 3, 0, 2])
    ]
    percent = {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in axes.texts
        if text.get_text().isdigit()
    }
    wanted = {
        place: f"{10 * count:.0f}"  # of ten samples a class
        for place, count in np.ndenumerate(counts)
        if count
    }
    assert percent == wanted
    right = np.trace(counts) / 40
    assert f"fine: {100 * right:.1f} % of 40 right" in axes.get_title(loc="left")
    assert {"even", "odd"} <= set(texts(figures["fine"]))
    assert not {"even", "odd"} & set(texts(figures["coarse"]))


def test_predicted_against_true(shown: FigureData, made: dict[str, np.ndarray]) -> None:
    true, given = shown.run.data.splits["validation"]["angle"], made["angle"][:, 0]
    known = np.isfinite(true)
    figure = regressions([shown])["angle"]
    points = np.concatenate([np.asarray(c.get_offsets()) for c in figure.axes[0].collections])
    wanted = np.stack([true[known], given[known]], axis=1)
    assert len(figure.axes[0].collections) == 4  # a class each
    assert figure.axes[0].get_xlabel() == "true angle (°)"
    assert np.sort(points, axis=0) == pytest.approx(np.sort(wanted, axis=0), rel=1e-4)
    error = np.sqrt(np.mean(np.square(true - given)[known]))
    assert figure.axes[0].get_title(loc="left") == f"angle: RMSE {error:.3g}° of 39 samples"
    line = figure.axes[0].get_lines()[0]
    assert list(line.get_xdata()) == list(line.get_ydata())
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["one", "two", "three", "four"]


def test_samples_without_a_label_are_drawn_named_and_counted(shown: FigureData) -> None:
    name = head(shown, "fine").target
    fine = np.where(np.arange(40) % 2, shown.whole.samples[name], -1)
    samples = {**shown.whole.samples, name: fine}
    some = FigureData(shown.run, samples, shown.fields)
    assert some.class_name(-1) == "no label"
    axes = confusions([some])["fine"].axes[0]
    assert "% of 20 right" in axes.get_title(loc="left")
    assert axes.get_title(loc="left").endswith("20 without label left out")
    assert some.label == name
    figure = regressions([some])["angle"]
    points = figure.axes[0].collections
    assert sum(len(np.asarray(c.get_offsets())) for c in points) == 39
    assert len(points) == 3  # a class each, and what has none
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == ["two", "four", "no label"]


def test_intersection_over_union() -> None:
    matrix = np.array([[6, 2, 0, 1], [1, 3, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    assert intersection_over_union(matrix)[:2] == pytest.approx([6 / 10, 3 / 6])
    assert np.isnan(intersection_over_union(matrix)[2:]).all()  # 3 is found, but never true


def test_segmentation_has_the_mean_iou_that_evaluate_has(shown: FigureData) -> None:
    labels = np.where(np.arange(64).reshape(8, 8) % 2, -1, 0)  # one class, or none
    samples = {**shown.whole.samples, "mask": np.broadcast_to(labels, (40, 8, 8))}
    one = FigureData(shown.run, samples, shown.fields)
    share = np.mean(predicted(one, head(one, "mask"))[:, labels == 0] == 0)
    figure = segmentations([one])["mask"]
    assert f"mean IoU {share:.3f}, " in figure.axes[0].get_title(loc="left")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [f"ground  {share:.2f}", "house  –", "no truth"]


def test_where_there_is_no_truth_at_all_figures_say_so(shown: FigureData) -> None:
    none = {name: np.full(shown.whole.samples[name].shape, np.nan) for name in ("angle", "height")}
    mask = np.full(shown.whole.samples["mask"].shape, -1)
    blind = FigureData(shown.run, {**shown.whole.samples, **none, "mask": mask}, shown.fields)
    title = segmentations([blind])["mask"].axes[0].get_title(loc="left")
    assert title.startswith("mask: no truth recorded")
    assert regressions([blind])["angle"].axes[0].get_title(loc="left") == "angle: no truth recorded"
    drawn = maps([blind])["height"]
    texts = [text.get_text() for axes in drawn.axes for text in axes.texts]
    assert any("no truth recorded" in text for text in texts)
    assert not any("RMSE" in text for text in texts)


def test_segmentation_shows_truth_prediction_and_what_has_no_truth(
    shown: FigureData, made: dict[str, np.ndarray]
) -> None:
    figure = segmentations([shown])["mask"]
    page = np.asarray(figure.axes[0].images[0].get_array())
    side = (page.shape[1] - 3 * 10) // 4  # image, truth, prediction, overlay; a gap of 10
    step = side // 8
    middles = np.arange(8) * step + step // 2
    colours = colours_of(shown.fields["mask"], 2)
    tile = [
        page[:side, i * (side + 10) : i * (side + 10) + side][np.ix_(middles, middles)]
        for i in range(4)
    ]
    labels = shown.run.data.splits["validation"]["mask"][0]
    known = labels >= 0
    assert tile[1][known] == pytest.approx(colours[labels[known]], abs=1e-6)
    classes = made["mask"][0].argmax(axis=-1)
    assert tile[2] == pytest.approx(colours[classes], abs=1e-6)
    assert tile[3] == pytest.approx(0.5 * tile[0] + 0.5 * tile[2], abs=1e-6)
    hatch = page[: 2 * step : 3, side + 10 : side + 10 + step : 3]
    assert {tuple(np.round(colour, 2)) for colour in colours}.isdisjoint(
        {tuple(np.round(colour, 2)) for colour in hatch[: step // 3].reshape(-1, 3)}
    )

    matrix = confusion(shown.whole, head(shown, "mask"))
    score = intersection_over_union(matrix)
    assert f"mean IoU {score.mean():.3f}" in figure.axes[0].get_title(loc="left")
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == [f"ground  {score[0]:.2f}", f"house  {score[1]:.2f}", "no truth"]


def test_two_runs_stand_side_by_side(seer: Run) -> None:
    two = [*material(seer), FigureData(seer, *_rest(material(seer)[0]))]
    titles = segmentations(two)["mask"].axes[0].texts
    assert [text.get_text() for text in titles] == ["image", "truth", "prediction", "second"]
    assert len(regressions(two)["angle"].axes) == 2
    matrices = confusions(two)["fine"].axes
    assert [axes.get_title(loc="left").split(":")[0] for axes in matrices] == ["fine", "second"]
    assert [len(axes.texts) for axes in matrices] == [
        len(matrices[0].texts),
        len(matrices[0].texts) + 2,
    ]
    assert len(maps(two)["height"].axes) == len(maps(two[:1])["height"].axes) + 1


def _rest(first: FigureData) -> tuple:  # type: ignore[type-arg]
    return first.samples, first.fields, "second", first.split


def test_maps_share_one_scale(shown: FigureData, made: dict[str, np.ndarray]) -> None:
    figure = maps([shown])["height"]
    image, true, given = (axes for axes in figure.axes[:3])
    height = shown.run.data.splits["validation"]["height"][..., 0]
    error = np.sqrt(np.mean(np.square(height - made["height"][..., 0])))
    assert [axes.texts[0].get_text() for axes in (image, true, given)] == [
        "image",
        "true height",
        f"predicted\nRMSE {error:.3g}",
    ]
    rows = [0, 10, 20, 29, 39]  # over the whole of 40
    every = np.concatenate([height[rows].ravel(), made["height"][rows].ravel()])
    low, high = np.quantile(every, (0.001, 0.999))
    page = np.asarray(given.images[0].get_array())
    step = page.shape[0] // 8
    tile = page[step // 2 :: step, step // 2 : page.shape[0] : step]
    assert tile == pytest.approx(coloured(made["height"][:1, ..., 0], low, high)[0], abs=1e-4)


def test_values_are_coloured_from_dark_to_light_and_what_is_missing_is_grey() -> None:
    (picture,) = coloured(np.array([[[0.0, 1.0, np.nan]]]), 0, 1)
    assert picture[0, 0].sum() < picture[0, 1].sum()
    assert np.ptp(picture[0, 2]) < 0.1


def test_inputs_for_every_pixel(shown: FigureData) -> None:
    assert list(input_pictures(shown, (8, 8), np.arange(3))) == ["image"]
    assert len(input_pictures(shown, (8, 8), np.arange(3))["image"]) == 3
    assert input_pictures(shown, (4, 4), np.arange(3)) == {}


def test_signals_are_curves_over_the_original(player: Run) -> None:
    shown = material(player)
    figure = signals(shown)
    assert figure is not None
    original, made = (line.get_ydata() for line in figure.axes[1].get_lines())
    samples = {name: shown[0].samples[name] for name in ("signal", "video")}
    outputs = player.model.predict(samples, verbose=0)
    assert original == pytest.approx(samples["signal"][1, :, 0])
    assert made == pytest.approx(outputs["signal"][1, :, 0], abs=1e-5)
    error = np.sqrt(np.mean(np.square(samples["signal"] - outputs["signal"])))
    assert figure.legends[0].get_texts()[1].get_text() == f"reconstruction (RMSE {error:.3g})"


def test_what_a_signal_lacks_is_not_drawn(player: Run) -> None:
    one = material(player)[0]
    there = np.ones_like(one.samples["signal"])
    there[1, 3, 0] = 0
    samples = {**one.samples, "signal_present": there}
    gap = replace(one, samples={**samples, "signal": one.samples["signal"] * there})
    figure = signals([gap])
    assert figure is not None
    original = np.asarray(figure.axes[1].get_lines()[0].get_ydata())
    assert np.flatnonzero(np.isnan(original)).tolist() == [3]
    assert "RMSE" in figure.legends[0].get_texts()[1].get_text()


def test_videos_are_strips_of_frames(player: Run) -> None:
    shown = material(player)
    figure = videos(shown)
    assert figure is not None
    page = np.asarray(figure.axes[0].images[0].get_array())
    side = (page.shape[0] - 10) // 2
    step = side // 4
    at = slice(2 * (side + 10) + step // 2, 2 * (side + 10) + side, step)
    assert page[step // 2 : side : step, at] == pytest.approx(
        shown[0].samples["video"][0, 2, ..., 0], abs=1e-6
    )
    assert page[side + 10 + step // 2 :: step, at] == pytest.approx(
        np.clip(shown[0].outputs["video"][0, 2, ..., 0], 0, 1), abs=1e-6
    )


def test_a_second_run_without_signals_or_videos_leaves_those_of_the_first(
    player: Run, seer: Run
) -> None:
    first, second = material(player)[0], FigureData(seer, *_rest(material(player)[0]))
    for draw in (signals, videos):
        assert draw([second, first]) is None
        figure = draw([first, second])
        assert figure is not None
        alone = draw([first])
        assert alone is not None
        assert texts(figure) == texts(alone)
    assert len(figure.axes[0].texts) == len(alone.axes[0].texts)


def test_colours_and_names_of_classes() -> None:
    assert class_colour(1, ("#000000", "#ffffff")) == "#ffffff"
    palette = [class_colour(number) for number in range(30)]
    assert palette[:10] == list(CLASSES)
    assert len(set(palette)) == 30
    assert class_names(("a", "b"), 3) == ("a", "b", "2")
    assert class_name((), -1) == "no label"


def test_runs_are_named_by_what_differs(seer: Run) -> None:
    def like(**changes: object) -> Run:
        return Run(seer.folder, {**seer.info, **changes}, seer.model)

    assert names_of([seer]) == [""]
    assert names_of([seer, like(weights={"fine": 100.0})]) == ["λ fine 1", "λ fine 100"]
    assert names_of([seer, like(labels={"fine": 0.05})]) == ["labels all", "labels fine 0.05"]
    assert names_of([seer, like(seed=3)]) == ["seed 0", "seed 3"]
    assert names_of([seer, like(seed=3, epochs=9, stratified=True, validation=0.2)]) == [
        f"seed 0, epochs {seer.info['epochs']}, stratified no, validation default",
        "seed 3, epochs 9, stratified yes, validation 0.2",
    ]
    assert names_of([seer, like()]) == [seer.path.name] * 2
