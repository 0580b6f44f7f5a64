"""The stacked auto-encoder without a base: the outer one learns first, then the inner one alone."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import ed_core
from ed_core import MODELS, EdkitError, Run, evaluate, open_run, train
from ed_core.figures.draw import draw_figures
from ed_core.nn.submodels import submodel, to_numpy
from ed_core.runs.checkpoints import newest_first
from ed_core.runs.rebuilding import build
from ed_core.runs.weights_file import read_arrays, read_facts
from ed_plugins.datasets.digits import digits

pytestmark = pytest.mark.backend

LEGACY = Path(__file__).parents[2] / "legacy"
EPOCHS, BATCHES, HALF = 3, 5, 8  # half of 15 steps, counted up
PLAN: dict[str, Any] = {"epochs": EPOCHS, "batch_size": 256, "hidden": (16,), "latent": 4}
OUTER = ("encoder/encoder", "decoder/decoder")


class Boom(Exception):  # noqa: N818 - it is no error
    """What ends a training at a given step."""


class Watch(keras.callbacks.Callback):
    """Keeps what a training logs, and its weights after every step."""

    def __init__(self, end: int = 10**9) -> None:
        super().__init__()
        self.end = end
        self.epochs: list[dict[str, float]] = []
        self.outer: list[list[np.ndarray]] = []
        self.inner: list[list[np.ndarray]] = []

    def on_train_begin(self, logs: Any = None) -> None:
        self.keep()

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.keep()
        if len(self.outer) - 1 == self.end:
            raise Boom

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        self.epochs.append(dict(logs or {}))

    def keep(self) -> None:
        net = self.model
        parts = [v for path in OUTER for v in submodel(net, path).trainable_variables]
        known = {id(v) for v in parts}
        self.outer.append([to_numpy(v) for v in parts])
        self.inner.append([to_numpy(v) for v in net.trainable_variables if id(v) not in known])


def same(first: list[np.ndarray], second: list[np.ndarray]) -> list[bool]:
    return [a.tobytes() == b.tobytes() for a, b in zip(first, second, strict=True)]


def left(run: Run) -> list[bytes]:
    """All that the last checkpoint of a run holds."""
    return [array.tobytes() for array in read_arrays(newest_first(run.folder.checkpoints)[0])[0]]


@pytest.fixture
def save_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ed_core.training.callbacks._PAUSE", 0.0)
    monkeypatch.setattr("ed_core.training.callbacks._SHARE", 0.0)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Watch]:
    """A training whose half is in the middle of an epoch."""
    watch = Watch()
    out = tmp_path_factory.mktemp("watched")
    return train("stacked_autoencoder", "digits", out=out, callbacks=[watch], **PLAN), watch


def test_the_loss_falls_within_each_half(tmp_path: Path) -> None:
    watch = Watch()
    plan = {**PLAN, "epochs": 6, "record": False, "batch_size": 128}
    train("stacked_autoencoder", "digits", out=tmp_path, callbacks=[watch], **plan)
    for name in ("loss", "val_loss"):
        losses = [logs[name] for logs in watch.epochs]
        assert losses[0] > losses[1] > losses[2], name
        assert losses[3] > losses[4] > losses[5], name
    first, last = watch.epochs[2], watch.epochs[-1]
    assert first["val_loss"] == pytest.approx(first["val_outer_image_loss"], rel=1e-5)
    terms = last["val_image_loss"] + last["val_difference_loss"]
    assert last["val_loss"] == pytest.approx(terms, rel=1e-5)
    assert last["val_outer_image_loss"] == first["val_outer_image_loss"]
    assert last["val_difference_loss"] < watch.epochs[3]["val_difference_loss"]


def test_the_outer_one_moves_in_the_first_half_and_not_by_a_bit_in_the_second(
    watched: tuple[Run, Watch],
) -> None:
    _, watch = watched
    assert len(watch.outer) == EPOCHS * BATCHES + 1
    for step in range(EPOCHS * BATCHES):
        outer = same(watch.outer[step], watch.outer[step + 1])
        inner = same(watch.inner[step], watch.inner[step + 1])
        if step < HALF:
            assert not any(outer), step
            assert all(inner), step
        else:
            assert all(outer), step
            assert not any(inner), step


def test_the_weights_of_the_heads_change_with_the_first_step_of_the_second_half(
    watched: tuple[Run, Watch],
) -> None:
    run, _ = watched
    with run.recording() as recording:
        table = recording.scalars()
    rows = np.isfinite(table["outer_image_weight"])
    assert rows.any()
    first = table["step"][rows] <= HALF  # a row is written when its step is done
    np.testing.assert_array_equal(table["outer_image_weight"][rows], first)
    for name in ("image", "difference"):
        np.testing.assert_array_equal(table[f"{name}_weight"][rows], ~first)


def test_it_is_measured_and_drawn(watched: tuple[Run, Watch], tmp_path: Path) -> None:
    numbers = evaluate(watched[0])
    assert numbers["mse"] < numbers["untrained_mse"]
    assert "outer_image_mse" not in numbers, "of the smaller code alone"
    draw_figures(watched[0], tmp_path)
    assert (tmp_path / "curves.png").is_file()


@pytest.mark.parametrize("step", [3, BATCHES, HALF, HALF + 1, 12])
@pytest.mark.usefixtures("save_every_step")
def test_a_resume_across_the_middle_is_bit_identical(
    watched: tuple[Run, Watch], tmp_path: Path, step: int
) -> None:
    with pytest.raises(Boom):
        train("stacked_autoencoder", "digits", out=tmp_path, callbacks=[Watch(step)], **PLAN)
    (path,) = tmp_path.iterdir()
    assert left(ed_core.resume(path)) == left(watched[0])


@pytest.mark.usefixtures("save_every_step")
def test_the_best_is_one_of_the_second_half(tmp_path: Path) -> None:
    """The losses of the first are of other terms, and lower."""
    plan = {**PLAN, "epochs": 4, "record": False}
    watch = Watch()
    run = train("stacked_autoencoder", "digits", out=tmp_path, callbacks=[watch], **plan)
    losses = [logs["val_loss"] for logs in watch.epochs]
    assert min(losses[:2]) < min(losses[2:])
    facts = read_facts(run.folder.checkpoints / "best.h5")
    assert facts["step"] > 2 * BATCHES
    assert facts["best"] == pytest.approx(min(losses[2:]))


def test_one_epoch_has_two_halves(tmp_path: Path) -> None:
    watch = Watch()
    plan = {**PLAN, "epochs": 1, "record": False}
    train("stacked_autoencoder", "digits", out=tmp_path, callbacks=[watch], **plan)
    moved = [not all(same(*watch.outer[step : step + 2])) for step in range(BATCHES)]
    assert moved == [True, True, True, False, False]


def test_a_base_leaves_the_outer_term_out(watched: tuple[Run, Watch], tmp_path: Path) -> None:
    outer = {"hidden": (16,), "latent": 6, "record": False, "batch_size": 256, "epochs": 1}
    base = train("dense_autoencoder", "digits", out=tmp_path / "base", **outer)
    plan = {**PLAN, "epochs": 2, "base": str(base.path)}
    watch = Watch()
    run = train("stacked_autoencoder", "digits", out=tmp_path, callbacks=[watch], **plan)
    assert [head.name for head in run.model.heads] == ["image", "difference"]
    assert "outer_image" not in run.model.output
    assert not any(same(watch.inner[0], watch.inner[1])), "it learns from the start"
    with run.recording() as recording:
        table = recording.scalars()
    assert set(table["image_weight"][np.isfinite(table["image_weight"])]) == {1.0}
    with pytest.raises(EdkitError, match="has no head 'outer_image' with these options, only: im"):
        build(
            MODELS["stacked_autoencoder"], digits().fields, run.info["params"], {"outer_image": 2}
        )


def test_a_saved_model_gives_what_it_gave(tmp_path: Path) -> None:
    net = build(MODELS["stacked_autoencoder"], digits().fields, {"hidden": (8,), "latent": 3})
    plain = keras.Model(net.input, net.output)
    plain.save(tmp_path / "net.keras")
    again = keras.saving.load_model(tmp_path / "net.keras")
    image = {"image": digits().splits["test"]["image"][:4]}
    first, second = (model.predict(image, verbose=0) for model in (plain, again))
    for name, array in first.items():
        np.testing.assert_allclose(array, second[name], rtol=1e-5, err_msg=name)


@pytest.fixture
def older(tmp_path: Path) -> Callable[[str], Path]:
    """Copy a run folder of the tests, and say in it where its data are."""

    def copied(name: str) -> Path:
        if keras.config.backend() != "torch":
            pytest.skip("the run was trained on torch")
        path = Path(shutil.copytree(LEGACY / name, tmp_path / name))
        data = shutil.copy(LEGACY / "pictures.npz", tmp_path)
        info = json.loads((path / "run.json").read_text("utf-8"))
        (path / "run.json").write_text(json.dumps({**info, "data": f"arrays:path={data}"}), "utf-8")
        return path

    return copied


@pytest.mark.filterwarnings("ignore:not bit-identical because")
@pytest.mark.filterwarnings("ignore:.*is a run of an earlier version")
def test_a_run_from_before_there_were_halves_goes_on(older: Callable[[str], Path]) -> None:
    path = older("stacked_autoencoder")
    before = open_run(path)
    assert np.isfinite(evaluate(before)["mse"])
    watch = Watch()
    run = ed_core.resume(path, epochs=3, callbacks=[watch])
    assert run.info["status"] == "finished"
    assert len(watch.outer) == 4
    kept = [to_numpy(v) for p in OUTER for v in submodel(before.model, p).trainable_variables]
    assert all(same(kept, watch.outer[-1])), "three epochs of three steps: this is the second half"
    assert not any(same(watch.inner[0], watch.inner[-1]))
    assert int(to_numpy(run.model.optimizer.iterations)) == 9
    assert np.isfinite(evaluate(open_run(path))["mse"])


@pytest.mark.filterwarnings("ignore:not bit-identical because")
@pytest.mark.filterwarnings("ignore:.*is a run of an earlier version")
def test_an_older_run_that_is_made_far_longer_trains_the_outer_one_again(
    older: Callable[[str], Path],
) -> None:
    watch = Watch()
    ed_core.resume(older("stacked_autoencoder"), epochs=5, callbacks=[watch])
    moved = [not all(same(*watch.outer[step : step + 2])) for step in range(9)]
    assert moved == [True] * 2 + [False] * 7  # of 15 steps 6 were done, and 8 are the first half


def test_a_run_that_is_made_longer_holds_the_outer_one(watched: tuple[Run, Watch]) -> None:
    run, before = watched
    copy = run.path.with_name("longer")
    shutil.copytree(run.path, copy)
    watch = Watch()
    ed_core.resume(copy, epochs=PLAN["epochs"] + 3, callbacks=[watch])
    for weights in watch.outer:
        assert all(same(weights, before.outer[-1]))
    assert not any(same(watch.inner[0], watch.inner[-1]))
