"""The curves: what is drawn of one run, and of two that share some of their heads."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from keras import Input, Model, layers
from matplotlib import rcParams

import ed_core
from ed_core import Fields, Head, Run, losses, model
from ed_core.figures.curves import curves, series
from ed_core.figures.figure_data import material
from ed_core.figures.style import BLUE, STYLE, VERMILION
from ed_core.plugins.decorators import DATASETS, MODELS

pytestmark = [pytest.mark.backend, pytest.mark.once]


def pair(fields: Fields) -> Model:
    """The image, by another loss than that of `told`, its class and a coarser one."""
    image = Input((8, 8, 1), name="image")
    flat = layers.Flatten()(image)
    outputs = {
        "image": layers.Reshape((8, 8, 1))(layers.Dense(64)(flat)),
        "label": layers.Dense(4, activation="softmax")(flat),
        "coarse": layers.Dense(2, activation="softmax")(flat),
    }
    return Model({"image": image}, outputs)


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        runpy.run_path(str(Path(__file__).parents[2] / "support" / "scenes.py"))
        heads = (
            Head("image", losses.sum_squared_error),
            Head("label", losses.categorical_crossentropy, weight=2.0),
            Head("coarse", losses.categorical_crossentropy),
        )
        model(data="scenes", heads=heads)(pair)
        yield


@pytest.fixture(autouse=True)
def style(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in STYLE.items():
        monkeypatch.setitem(rcParams, key, value)


def trained(name: str, folder: Path) -> Run:
    return ed_core.train(name, epochs=1, batch_size=16, out=folder)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return trained("pair", tmp_path_factory.mktemp("pair"))


def test_two_models_have_every_head_of_both_and_no_axes_of_two_losses(
    run: Run, tmp_path: Path
) -> None:
    figure = curves(material(run, trained("told", tmp_path)))
    assert figure is not None
    total, *panels = figure.axes
    found = [
        (
            axes.get_title(loc="left"),
            axes.get_ylabel().replace("\n", " "),
            {str(line.get_color()) for line in axes.get_lines()},
        )
        for axes in panels
    ]
    assert found == [
        ("image  (λ = 1)", "sum squared error", {BLUE}),
        ("label  (λ = 2)", "categorical crossentropy", {BLUE}),
        ("coarse  (λ = 1)", "categorical crossentropy", {BLUE}),
        ("image  (λ = 1)", "binary crossentropy", {VERMILION}),
        ("posterior  (λ = 1)", "gaussian kl", {VERMILION}),
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["pair", "told"]
    assert len({str(line.get_color()) for line in total.get_lines()}) == 2


def test_two_runs_of_one_model_share_its_axes_and_are_named_once(run: Run) -> None:
    figure = curves(material(run, run))
    assert figure is not None
    panels = figure.axes[1:]
    assert len(panels) == 3
    for axes in figure.axes:
        assert {str(line.get_color()) for line in axes.get_lines()} == {BLUE, VERMILION}
    names = [text.get_text() for text in figure.legends[0].get_texts()]
    assert names == [run.path.name] * 2
    assert not any(axes.texts for axes in figure.axes)
    widths = [12 * axes.get_position().width for axes in panels]
    assert min(widths) > 2  # inches


def test_one_run_names_its_lines_in_every_panel(run: Run) -> None:
    figure = curves(material(run))
    assert figure is not None
    for axes in figure.axes:
        names = {text.get_text() for text in axes.texts}
        weighted = axes.get_title(loc="left").startswith("label")
        assert names == {"training", "validation"} | ({"weighted"} if weighted else set())


def table(epochs: int, logged: list[float]) -> dict[str, np.ndarray]:
    """Two rows an epoch of ten steps, and the last of them twice, as the recorder writes it."""
    step = np.sort(np.concatenate([5 + 10 * np.arange(epochs), *2 * [10 + 10 * np.arange(epochs)]]))
    return {"step": step * 1.0, "epoch": step / 10, "loss": np.array(logged)}


def test_a_running_mean_is_undone_where_epochs_are_few() -> None:
    rows, values = series(table(2, [8, 6, 6, 3, 2.5, 2.5]), "loss")
    assert rows.tolist() == [0, 2, 3, 5]
    assert values == pytest.approx([8, 4, 3, 2])  # 8 and 4 have the mean 6 that Keras logged


def test_of_many_epochs_their_means_are_drawn() -> None:
    logged = [9.0, 7, 7, *[5, 4, 4] * 6]
    rows, values = series(table(7, logged), "loss")
    assert rows.tolist() == list(range(2, 21, 3))
    assert values.tolist() == [7, *[4] * 6]


def test_a_loss_that_was_not_recorded_has_no_series() -> None:
    empty = {"step": np.empty(0), "epoch": np.empty(0), "loss": np.empty(0)}
    assert not series(empty, "loss")[0].size
    assert not series(empty, "other")[0].size
