"""Every figure is drawn, is what its name says, and is not blank."""

import re
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from keras import Input, Model, layers, ops
from matplotlib import rc_context, rcParams
from matplotlib.figure import Figure
from matplotlib.image import imread

import ed_core
from ed_core import (
    Dataset,
    EdkitError,
    Field,
    Fields,
    Head,
    Run,
    Sampling,
    dataset,
    losses,
    metrics,
    model,
)
from ed_core.figures.activations import activations
from ed_core.figures.draw import FIGURES, draw_figures
from ed_core.figures.figure_data import material
from ed_core.figures.generated import latent_grid
from ed_core.figures.latent import latent_scatter, principal_axes, tsne
from ed_core.figures.reconstructions import reconstructions
from ed_core.figures.sheets import GAP, mosaic, picture, tile_size
from ed_core.figures.style import STYLE, spread
from ed_core.plugins.decorators import DATASETS, MODELS

pytestmark = [pytest.mark.backend, pytest.mark.once]

SHAPE = (8, 8, 1)
ALL = [
    "reconstructions",
    "activations_1",
    "activations_2",
    "curves",
    "latent_scatter",
    "latent_grid",
    "latent_grid_uniform",
    "interpolation",
    "samples",
]


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        dataset(bars)
        model(
            data="bars",
            heads=(
                Head("image", losses.binary_crossentropy),
                Head("posterior", losses.gaussian_kl, weight="beta"),
            ),
            probes=(ed_core.Reconstruction("image"),),
        )(small_vae)
        model(data="bars", heads=(Head("image", losses.sum_squared_error),))(small_autoencoder)
        model(
            data="bars",
            heads=(Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),),
        )(small_classifier)
        yield


def bars() -> Dataset:
    """Four kinds of bright bars on noise."""
    rng = np.random.default_rng(0)
    image = 0.3 * rng.random((200, *SHAPE), "float32")
    label = np.arange(200) % 4
    for row, number in enumerate(label):
        image[row, 2 * number : 2 * number + 2] += 0.6
    names = ("the first kind of all", "second", "third", "fourth")
    fields = Fields(image=Field(SHAPE), label=Field((), "class", names))
    parts = {"train": slice(0, 96), "validation": slice(96, 160), "test": slice(160, 200)}
    return Dataset(fields, {k: {"image": image[s], "label": label[s]} for k, s in parts.items()})


def small_vae(fields: Fields, *, latent: int = 2, beta: float = 0.5) -> Model:
    """Two convolutions and a Gaussian code."""
    image, x = contracted(fields)
    x = layers.Flatten()(x)
    mean, log_var = layers.Dense(latent)(x), layers.Dense(latent)(x)
    outputs = {
        "code": Sampling(seed=1)([mean, log_var]),
        "posterior": ops.stack([mean, log_var], axis=1),
    }
    encoder = Model({"image": image}, outputs, name="encoder")
    return joined(encoder, (latent,))


def small_autoencoder(fields: Fields) -> Model:
    """Two convolutions; the code is their maps."""
    image, x = contracted(fields)
    return joined(Model({"image": image}, {"code": x}, name="encoder"), tuple(x.shape[1:]))


def small_classifier(fields: Fields) -> Model:
    """No encoder, no image among its outputs."""
    image, x = contracted(fields)
    label = layers.Dense(4, activation="softmax")(layers.Flatten()(x))
    return Model({"image": image}, {"label": label})


def contracted(fields: Fields) -> tuple[object, object]:
    image = Input(fields["image"].shape, name="image")
    x = layers.Conv2D(3, 3, 2, padding="same", activation="relu", name="conv_1")(image)
    return image, layers.Conv2D(2, 3, 2, padding="same", name="conv_2")(x)


def joined(encoder: Model, shape: tuple[int, ...]) -> Model:
    code = Input(shape, name="code")
    out = layers.Dense(64, activation="sigmoid")(layers.Flatten()(code))
    decoder = Model({"code": code}, {"image": layers.Reshape(SHAPE)(out)}, name="decoder")
    image = Input(SHAPE, name="image")
    codes = encoder({"image": image})
    return Model({"image": image}, {**codes, **decoder({"code": codes["code"]})})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("vae")
    return ed_core.train("small_vae", epochs=3, batch_size=32, every=2, out=folder)


@pytest.fixture(scope="module")
def maps(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run without a recording, of which the code is more than two numbers."""
    folder = tmp_path_factory.mktemp("autoencoder")
    return ed_core.train("small_autoencoder", epochs=1, batch_size=32, record=False, out=folder)


@pytest.fixture(scope="module")
def drawn(run: Run) -> list[Path]:
    """Every figure in every format, in the run's own folder."""
    before = dict(rcParams)
    paths = draw_figures(run, formats=("png", "svg", "pdf"))
    assert dict(rcParams) == before
    return paths


@pytest.fixture(autouse=True)
def style(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in STYLE.items():
        monkeypatch.setitem(rcParams, key, value)


def pixels(figure: Figure) -> np.ndarray:
    file = BytesIO()
    with rc_context({"savefig.bbox": None}):
        figure.savefig(file, format="png")
    return imread(BytesIO(file.getvalue()))[..., :3]


@pytest.mark.once(False)
def test_every_figure_in_every_format(run: Run, drawn: list[Path]) -> None:
    assert [path.stem for path in drawn[::3]] == ALL
    assert {path.parent for path in drawn} == {run.path / "figures"}
    assert sorted(run.path.joinpath("figures").iterdir()) == sorted(drawn)  # nothing half-done
    for path in drawn:
        content = path.read_bytes()
        if path.suffix == ".png":
            image = imread(path)[..., :3]
            assert image.std() > 0.05, path
            assert min(image.shape[:2]) > 300
            assert (image[[0, -1]] == 1).all(), path  # nothing touches the edge
            assert (image[:, [0, -1]] == 1).all(), path
        elif path.suffix == ".svg":
            assert content.startswith(b"<?xml"), path
            assert content.rstrip().endswith(b"</svg>"), path
            assert b"<text" in content, path
        else:
            assert content.startswith(b"%PDF"), path
            assert content.rstrip().endswith(b"%%EOF"), path
            assert b"/Type3" not in content, path


def test_the_same_figures_are_the_same_files(run: Run, drawn: list[Path], tmp_path: Path) -> None:
    again = draw_figures(run.path, tmp_path / "made" / "anew", formats=("svg",))
    for one, other in zip(drawn[1::3], again, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


def test_the_text_of_a_figure(drawn: list[Path]) -> None:
    files = {path.stem: path.read_text() for path in drawn if path.suffix == ".svg"}
    said = {name: re.findall(r">([^<>\n]+)</t", text) for name, text in files.items()}
    assert {"original", "reconstruction", "second", "kind of all"} <= set(said["reconstructions"])
    assert {"input", "channel 1", "activation"} <= set(said["activations_1"])
    assert any("3 channels of 4 × 4" in text for text in said["activations_1"])
    assert {"total loss", "training", "validation", "weighted", "epoch"} <= set(said["curves"])
    assert "posterior  (λ = 0.5)" in said["curves"]
    assert {"binary crossentropy", "gaussian kl", "sum of loss × λ"} <= set(said["curves"])
    assert any(re.fullmatch(r"MSE 0\.\d+", text) for text in said["reconstructions"])
    assert "tspan" not in files["curves"]  # of which viewers place every digit apart
    assert {"third", "fourth"} <= set(said["latent_scatter"])
    assert {"−2", "2"} <= set(said["latent_grid"])


def test_without_a_recording_all_but_the_curves(maps: Run, tmp_path: Path) -> None:
    names = [path.stem for path in draw_figures(maps, tmp_path)]
    no_prior = {"latent_grid_uniform", "samples"}
    wanted = [name for name in ALL if name not in {"curves", *no_prior}]
    wanted.insert(wanted.index("latent_grid"), "tsne")  # the code is more than two numbers
    assert names == wanted


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> Run:
    out = tmp_path_factory.mktemp("classifier")
    return ed_core.train("small_classifier", epochs=1, batch_size=32, out=out)


def test_a_classifier_has_curves_and_a_confusion_matrix(classifier: Run, tmp_path: Path) -> None:
    paths = draw_figures(classifier, tmp_path)
    assert [path.name for path in paths] == ["curves.png", "confusion_label.png"]


def test_a_second_run_that_has_no_such_figure_leaves_that_of_the_first(
    maps: Run, classifier: Run
) -> None:
    for draw in (reconstructions, latent_scatter, tsne):
        assert draw(material(classifier, maps)) is None
        assert draw(material(maps, classifier)) is not None
    figure = reconstructions(material(maps, classifier))
    assert figure is not None
    words = [text.get_text().partition("\n")[0] for text in figure.axes[0].texts]
    assert words[:2] == ["original", "small_autoencoder"]
    assert "small_classifier" not in words


def test_two_runs_side_by_side(run: Run, maps: Run, tmp_path: Path) -> None:
    for each in material(run, maps):
        assert each.name in ("small_vae", "small_autoencoder")
    two, one = reconstructions(material(run, maps)), reconstructions(material(run))
    assert two is not None
    assert one is not None
    assert two.get_size_inches()[1] > 1.4 * one.get_size_inches()[1]
    files = draw_figures(run, tmp_path, formats=["svg"], other=maps.path)
    text = {path.stem: path.read_text() for path in files}
    assert ">small_autoencoder<" in text["reconstructions"]
    assert ">small_autoencoder<" in text["latent_scatter"]


def test_two_runs_of_one_model_are_told_apart_by_their_options(run: Run, tmp_path: Path) -> None:
    other = ed_core.train("small_vae", epochs=1, batch_size=32, beta=0.0, out=tmp_path)
    names = ["beta 0.5, epochs 3, every 2", "beta 0, epochs 1, every default"]
    assert [each.name for each in material(run, other)] == names
    draw_figures(run, tmp_path / "figures", other=other)


def test_reconstructions_show_the_pixels_of_each_run(run: Run, maps: Run) -> None:
    shown = material(run, maps)
    figure = reconstructions(shown)
    assert figure is not None
    page = pixels(figure)[..., 0]
    samples = {"image": shown[0].samples["image"][:10]}
    assert list(shown[0].samples["label"][:4]) == [0, 1, 2, 3]
    rows = [samples, *(each.model.predict(samples, verbose=0) for each in (run, maps))]
    size = tile_size(samples["image"][0], 230)[0]
    step = size // 8
    for row, images in enumerate(rows):
        for column in (0, 9):
            top, left = row * (size + GAP), column * (size + GAP)
            tile = page[top : top + size, left : left + size]
            assert tile[step // 2 :: step, step // 2 :: step] == pytest.approx(
                images["image"][column, ..., 0], abs=0.02
            )


def test_the_grid_of_a_variational_model_lies_at_the_quantiles(run: Run) -> None:
    figure = latent_grid(material(run))
    assert figure is not None
    corner = np.array([[-1.959964, 1.959964]], "float32")  # z_1 low, z_2 high: top left
    image = run.decoder.predict({"code": corner}, verbose=0)["image"][0, ..., 0]
    size = tile_size(image, 80)[0]
    step = size // 8
    tile = pixels(figure)[step // 2 : size : step, step // 2 : size : step, 0]
    assert tile == pytest.approx(image, abs=0.02)


def test_a_long_code_is_shown_by_its_principal_components(maps: Run) -> None:
    shown = material(maps)
    codes = shown[0].codes
    assert codes is not None
    _, axes, names = principal_axes(codes)
    strength = np.sort(np.linalg.eigvalsh(np.cov(codes.T)))[::-1]
    assert np.var((codes - codes.mean(axis=0)) @ axes.T, axis=0, ddof=1) == pytest.approx(
        strength[:2], rel=1e-3
    )
    assert names[0] == (
        f"first principal component of 8 ({100 * strength[0] / strength.sum():.0f} % "
        "of the variance)"
    )
    figure = latent_scatter(shown)
    assert figure is not None
    assert figure.axes[0].get_xlabel() == names[0]
    assert sum(len(points.get_offsets()) for points in figure.axes[0].collections) == 64


def test_dead_channels_and_a_fourth_layer_do_not_matter(maps: Run) -> None:
    for weight in maps.model.get_layer("encoder").get_layer("conv_1").weights:
        weight.assign(np.zeros(weight.shape))
    assert activations(material(maps), number=0) is not None
    assert activations(material(maps), number=2) is None


def test_what_cannot_be_drawn_is_one_line(run: Run, tmp_path: Path) -> None:
    with pytest.raises(EdkitError, match="unknown format 'jpeg'"):
        draw_figures(run, tmp_path, formats=("jpeg",))
    (tmp_path / "file").write_text("")
    with pytest.raises(EdkitError, match="cannot write figures into"):
        draw_figures(run, tmp_path / "file")
    with pytest.raises(EdkitError, match="not a run folder"):
        draw_figures(tmp_path)


def test_data_that_is_gone_is_replaced_by_the_recorded_samples(
    run: Run, maps: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: Run) -> Dataset:
        raise EdkitError("the data are gone")

    monkeypatch.setattr(Run, "data", property(gone))
    assert material(run)[0].samples["image"].shape == (64, *SHAPE)
    with pytest.raises(EdkitError, match="are gone"):
        material(maps)


def test_names_of_figures_differ() -> None:
    names = [name for name, _ in FIGURES]
    assert len(set(names)) == len(names)


def test_a_mosaic_keeps_equal_distances() -> None:
    page = mosaic([[np.zeros((2, 2)), np.ones((2, 2))], [np.full((2, 2), 0.5)]], (4, 4), gap=3)
    assert page.shape == (11, 11)
    assert (page[:4, :4] == 0).all()
    assert (page[:4, 7:] == 1).all()
    assert (page[7:, :4] == 0.5).all()
    assert np.isnan(page[4:7]).all()
    assert np.isnan(page[:, 4:7]).all()
    colours = mosaic([[np.zeros((2, 2, 3))] * 2], (2, 2), gap=1)
    assert (colours[:, 2] == 1).all()


@pytest.mark.parametrize(
    ("width", "dots", "size"), [(28, 84, (84, 84)), (28, 90, (84, 84)), (500, 100, (100, 100))]
)
def test_a_tile_has_whole_pixels(width: int, dots: int, size: tuple[int, int]) -> None:
    assert tile_size(np.zeros((width, width, 1)), dots) == size


def test_a_picture_is_grey_or_coloured() -> None:
    assert picture(np.full((2, 2, 1), 2.0)).tolist() == [[1, 1], [1, 1]]
    assert picture(np.zeros((2, 2, 3))).shape == (2, 2, 3)
    assert picture(np.zeros((2, 2, 5))).shape == (2, 2)


def test_names_are_spread_without_changing_their_order() -> None:
    assert spread([0.0, 100.0], 10) == [0.0, 100.0]
    assert spread([5.0, 5.0], 10) == [0.0, 10.0]
    assert spread([5.0, 5.0, 40.0], 10, low=3.0) == [3.0, 13.0, 40.0]
    placed = spread([3.0, 0.0, 2.0, 50.0, 49.0], 10)
    assert np.diff(np.sort(placed)).min() >= 10 - 1e-9
    assert list(np.argsort(placed)) == [1, 2, 0, 4, 3]


def test_a_figure_of_another_split_says_so_below_all_else(run: Run, tmp_path: Path) -> None:
    for split in ("validation", "test"):
        draw_figures(run, tmp_path / split, split=split)
    plain, noted = (
        imread(tmp_path / split / "latent_scatter.png")[..., :3] for split in ("validation", "test")
    )
    ink = [np.flatnonzero((page < 0.9).any(axis=(1, 2))) for page in (plain, noted)]
    note = ink[1][ink[1] > ink[0][-1]]
    assert len(note) > 10  # rows of type, all of it below what the other figure ends with
    assert note[0] > ink[0][-1] + 1
    with pytest.raises(EdkitError, match="has no split 'all'"):
        draw_figures(run, tmp_path / "all", split="all")
