"""The figures of codes and of what decoders make of them."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure

import ed_core
from ed_core import EdkitError, Run
from ed_core.decoding.embedding import embedded
from ed_core.figures.draw import draw_figures
from ed_core.figures.figure_data import FigureData, material
from ed_core.figures.generated import (
    chosen_frames,
    decoder_of,
    interpolation,
    latent_grid,
    samples,
    samples_over_time,
)
from ed_core.figures.latent import latent_scatter, principal_axes, tsne
from ed_core.figures.sheets import GAP
from ed_core.figures.style import STYLE
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.seeds import Seeds

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
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A conditional variational auto-encoder with a code of five numbers."""
    return ed_core.train("told", epochs=3, batch_size=16, every=1, out=tmp_path_factory.mktemp("t"))


@pytest.fixture(scope="module")
def shown(run: Run) -> FigureData:
    return material(run)[0]


def page_of(figure: Figure | None, number: int = 0) -> np.ndarray:
    assert figure is not None
    return np.asarray(figure.axes[number].images[0].get_array())


def tile(page: np.ndarray, row: int, column: int, side: int, gap: int) -> np.ndarray:
    """One image (8, 8) of a mosaic of square tiles."""
    step = side // 8
    top, left = row * (side + gap) + step // 2, column * (side + gap) + step // 2
    return page[top : top + side : step, left : left + side : step][:8, :8]


def decode(run: Run, codes: np.ndarray, label: np.ndarray) -> np.ndarray:
    given = {"code": codes.astype("float32"), "label": label.astype("int32")}
    return run.decoder.predict(given, verbose=0)["image"][..., 0]


def test_the_figures_of_a_conditional_model(run: Run, tmp_path: Path) -> None:
    assert [path.stem for path in draw_figures(run, tmp_path)] == [
        "reconstructions",
        "curves",
        "latent_scatter",
        "tsne",
        "latent_grid",
        "latent_grid_uniform",
        "interpolation",
        "samples",
        "samples_over_time",
    ]


def test_a_decoder_that_takes_a_class_is_found(shown: FigureData) -> None:
    decoder = decoder_of(shown)
    assert decoder is not None
    assert (decoder.label, len(decoder.classes), decoder.output, decoder.shape) == (
        "label",
        4,
        "image",
        (5,),
    )


def test_samples_have_a_row_a_class_and_a_column_a_code(run: Run, shown: FigureData) -> None:
    page = page_of(samples([shown], seed=3))
    codes = Seeds(3).generator("figure").standard_normal((12, 5))
    for row, column in ((0, 0), (3, 11)):
        wanted = decode(run, codes[column : column + 1], np.array([row]))[0]
        assert tile(page, row, column, 144, 6) == pytest.approx(wanted, abs=1e-5)
    assert page.shape == (4 * 150 - 6, 12 * 150 - 6)


def test_samples_over_time_are_those_of_the_recording(run: Run, shown: FigureData) -> None:
    figure = samples_over_time([shown])
    page = page_of(figure)
    with run.recording() as recording:
        frames = chosen_frames(recording.steps, 7)
        first, last = (recording.read("samples", f)["images"] for f in frames[[0, -1]])
        steps = recording.steps[frames]
    side = (page.shape[0] - 6 * GAP) // 7
    shown_first = np.linspace(0, 19, 10).round().astype(int)
    assert tile(page, 0, 1, side, GAP) == pytest.approx(first[shown_first[1], ..., 0], abs=1e-3)
    assert tile(page, 6, 9, side, GAP) == pytest.approx(last[shown_first[9], ..., 0], abs=1e-3)
    assert figure is not None
    assert [t.get_text().split("\n")[0] for t in figure.axes[0].texts] == [
        f"step {s}" for s in steps
    ]


@pytest.mark.parametrize(
    "steps", [np.arange(5), np.arange(8), np.arange(0, 3000, 7), 2 ** np.arange(12)]
)
def test_frames_are_chosen_once_each_from_first_to_last(steps: np.ndarray) -> None:
    frames = chosen_frames(steps, 7)
    assert len(frames) == min(7, len(steps))
    assert (np.diff(frames) > 0).all()
    assert (frames[0], frames[-1]) == (0, len(steps) - 1)


def test_frames_lie_ever_farther_apart() -> None:
    steps = np.arange(0, 10000, 10)
    assert (np.diff(np.diff(steps[chosen_frames(steps, 7)])) > 0).all()


def test_the_way_between_two_samples_of_a_class(run: Run, shown: FigureData) -> None:
    figure = interpolation([shown])
    page = page_of(figure, 2)
    side = (page.shape[1] - 8 * GAP) // 9
    label = shown.samples["label"]
    pair = np.flatnonzero(label == 1)[:2]
    assert shown.codes is not None
    for column, share in ((0, 0.0), (4, 0.5), (8, 1.0)):
        code = (1 - share) * shown.codes[pair[0]] + share * shown.codes[pair[1]]
        wanted = decode(run, code[None], np.array([1]))[0]
        assert tile(page, 1, column, side, GAP) == pytest.approx(wanted, abs=1e-4)
    assert tile(page_of(figure, 0), 1, 0, side, GAP) == pytest.approx(
        shown.samples["image"][pair[0], ..., 0], abs=1e-6
    )
    assert tile(page_of(figure, 1), 1, 0, side, GAP) == pytest.approx(
        shown.samples["image"][pair[1], ..., 0], abs=1e-6
    )


def test_a_grid_goes_through_any_two_dimensions(run: Run) -> None:
    (chosen,) = material(run, dimensions=(3, 1))
    figure = latent_grid([chosen], spacing="uniform")
    page = page_of(figure)
    label = chosen.samples["label"][:1]
    corner = np.zeros((1, 5))
    corner[0, 3], corner[0, 1] = -3, 3  # left, top
    assert tile(page, 0, 0, 80, 4) == pytest.approx(decode(run, corner, label)[0], abs=1e-5)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == "$z_{4}$, the other dimensions 0, class one"
    points = latent_scatter([chosen])
    assert points is not None
    assert chosen.codes is not None
    drawn = np.concatenate([np.asarray(c.get_offsets()) for c in points.axes[0].collections])
    wanted = chosen.codes[:, [3, 1]]
    assert np.sort(drawn, axis=0) == pytest.approx(np.sort(wanted, axis=0), abs=1e-5)


@pytest.mark.parametrize("dimensions", [(0, 5), (2, 2), (-1, 0)])
def test_dimensions_that_the_code_has_not_got(
    run: Run, tmp_path: Path, dimensions: tuple[int, int]
) -> None:
    with pytest.raises(EdkitError, match="code of 5 dimensions, received dimensions"):
        draw_figures(run, tmp_path, dimensions=dimensions)
    assert list(tmp_path.iterdir()) == []


def test_a_run_without_an_encoder_has_no_plane(run: Run, tmp_path: Path) -> None:
    seer = ed_core.train("seer", epochs=1, batch_size=16, record=False, out=tmp_path)
    with pytest.raises(EdkitError, match="has no encoder, and so no plane of codes: leave the dim"):
        material(seer, dimensions=(0, 1))
    assert len(material(run, seer, dimensions=(0, 1))) == 2


def test_one_sample_has_no_variance_to_share() -> None:
    assert principal_axes(np.ones((1, 5)))[2] == [
        "first principal component of 5",
        "second principal component of 5",
    ]
    assert principal_axes(np.eye(3))[2][0] == (
        "first principal component of 3 (50 % of the variance)"
    )


def test_tsne_keeps_clusters_apart_and_is_the_same_each_time() -> None:
    rng = np.random.default_rng(0)
    centres = 30 * rng.normal(size=(3, 20))
    rows = np.repeat(centres, 15, axis=0) + rng.normal(size=(45, 20))
    points = embedded(rows)
    assert (points == embedded(rows)).all()
    distance = np.linalg.norm(points[:, None] - points[None], axis=-1)
    np.fill_diagonal(distance, np.inf)
    assert (distance.argmin(axis=1) // 15 == np.arange(45) // 15).all()


def test_tsne_of_a_dead_code_is_a_point() -> None:
    assert not embedded(np.ones((50, 8))).any()


def test_tsne_shows_the_data_beside_the_code_or_one_code_beside_another(shown: FigureData) -> None:
    alone, both = tsne([shown]), tsne([shown, shown])
    assert alone is not None
    assert both is not None
    assert [axes.get_title(loc="left") for axes in alone.axes] == [
        "original image, t-SNE of 64 numbers",
        "code, t-SNE of 5 numbers",
    ]
    assert [axes.get_title(loc="left") for axes in both.axes] == ["code, t-SNE of 5 numbers"] * 2
    for axes in (*alone.axes, *both.axes):
        assert sum(len(points.get_offsets()) for points in axes.collections) == 40
        assert [text.get_text() for text in axes.texts] == ["one", "two", "three", "four"]
