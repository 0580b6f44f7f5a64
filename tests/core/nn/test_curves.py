"""The losses of every step: what the metric keeps, what is written of it, and what is read."""

import runpy
from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

import ed_core
from ed_core import DATASETS, MODELS, Reconstruction, Recorder, Recording, open_run, train
from ed_core.data.batches import Batches
from ed_core.nn import curves as curves_module
from ed_core.nn.curves import CurveRows, mean_of
from ed_core.recording.reader import thinned

pytestmark = pytest.mark.backend


@pytest.fixture(scope="module", autouse=True)
def plugins() -> Iterator[None]:
    with MODELS.isolated(), DATASETS.isolated():
        runpy.run_path(str(Path(__file__).parents[2] / "support" / "tiny.py"))
        yield


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ed_core.Run:
    out = tmp_path_factory.mktemp("curves")
    return train("tiny", epochs=3, batch_size=32, out=out, labels={"label": 0.1})


def test_every_step_has_a_row_and_the_epoch_s_mean_is_that_of_keras(run: ed_core.Run) -> None:
    found, table = run.curves, run.scalars
    steps = 3 * 7
    assert found["step"].tolist() == [*range(1, steps + 1)]
    np.testing.assert_allclose(found["epoch"], np.arange(1, steps + 1) / 7, rtol=1e-6)
    assert (np.diff(found["seconds"]) >= 0).all()
    image = found["image_loss"].reshape(3, 7).mean(axis=1)
    ends = np.searchsorted(table["step"], [7, 14, 21], side="right") - 1
    np.testing.assert_allclose(image, table["image_loss"][ends], rtol=1e-4)


def test_total_is_the_weighted_sum_and_what_has_no_target_is_nan(run: ed_core.Run) -> None:
    found, model = run.curves, run.model
    weights = {name: float(value) for name, value in model.head_weights.items()}
    total = sum(
        weight * np.nan_to_num(found[f"{name}_loss"].astype("f8"))
        for name, weight in weights.items()
    )
    np.testing.assert_allclose(found["loss"][4:], total[4:], rtol=1e-4)  # a weight rises before
    few = np.isnan(found["label_loss"])  # a tenth of the labels: some batches have none
    assert np.isfinite(found["image_loss"]).all()
    assert (found["label_loss"][~few] > 0).all()


def test_a_row_takes_40_bytes_a_head_at_most(run: ed_core.Run) -> None:
    (path,) = (run.path / "recording").glob("*.h5")
    with Recording(path) as recording:
        assert recording.header is not None
        curves = recording.header.curves
    assert 20 + 4 * len(curves) <= 40 * len(run.model.heads)


def test_a_foreign_model_has_none(tmp_path: Path) -> None:
    model = keras.Sequential([keras.Input((4,), name="input"), layers.Dense(4)])
    model.compile("adam", "mse")
    x = np.ones((8, 4), "float32")
    recorder = Recorder(tmp_path / "own", [Reconstruction("input")], x)
    model.fit(x, x, verbose=0, callbacks=[recorder])
    with Recording(tmp_path / "own") as recording:
        assert recording.curves()["step"].size == 0
        assert recording.scalars()["loss"].size


def test_validation_and_a_second_fit_leave_no_trace(tmp_path: Path) -> None:
    """Several fits of one recorder, with something trained between them, count on."""
    found = train("tiny", epochs=1, batch_size=32, out=tmp_path)
    model, data = found.model, found.data.splits["train"]
    batches = Batches(data, [*model.input], model.heads, 32)
    model.compile(optimizer=keras.optimizers.Adam(1e-3))
    x = {name: np.asarray(array[:8]) for name, array in data.items() if name in model.input}
    recorder = Recorder(tmp_path / "more", [], x)
    with recorder:
        model.fit(batches, verbose=0, callbacks=[recorder], validation_data=batches)
        model.fit(batches, verbose=0)
        model.fit(batches, verbose=0, callbacks=[recorder])
    with Recording(tmp_path / "more") as recording:
        steps = recording.curves()["step"]
    assert len(steps) == 2 * len(batches)
    assert (np.diff(steps.astype("int64")) >= 1).all()


@given(st.lists(st.integers(1, 40), max_size=12), st.integers(4, 12))
def test_rows_stand_for_more_and_more_steps(parts: list[int], most: int) -> None:
    """Whatever is fetched at a time: all steps are in, each once, in few rows."""
    total = sum(parts)
    values = np.stack([np.arange(total), np.ones(total)], axis=1).astype("f4")
    before, curves_module._ROWS = curves_module._ROWS, 2 * most
    try:
        rows = CurveRows()
        made, first = [], 0
        for count in parts:
            part = slice(first, first + count)
            made.append(rows.take(np.arange(total)[part] + 1, values[part]))
            first += count
        made.append(rows.rest(2))
    finally:
        curves_module._ROWS = before
    steps = np.concatenate([one for one, _ in made])
    found = np.concatenate([one for _, one in made])
    sizes = np.diff(steps, prepend=0)
    assert sizes.sum() == total
    assert (sizes[: 2 * most] == 1).all()
    np.testing.assert_allclose((found[:, 0] * sizes).sum(), values[:, 0].sum(), rtol=1e-5)
    assert (found[:, 1] == 1).all()
    assert len(steps) <= 2 * most * (1 + np.log2(max(total, 1) / most + 1))


def test_means_leave_out_what_has_no_target_but_not_what_is_not_finite() -> None:
    rows = np.array([[1, np.nan, 3], [3, 4, np.nan]], "f4")
    assert mean_of(rows).tolist() == [2, 4, 3]
    assert np.isnan(mean_of(np.array([[np.nan, 1], [3, 1]], "f4"))[0])


@given(st.integers(0, 400), st.integers(4, 40))
def test_what_is_read_is_bounded_and_keeps_its_ends(rows: int, most: int) -> None:
    steps = np.arange(rows, dtype="u8") + 1
    values = np.sin(np.arange(rows)).astype("f4")
    found = thinned({"step": steps, "loss": values}, most)
    assert len(found["step"]) == len(found["loss"]) <= max(most, min(rows, most))
    if rows:
        assert found["step"][[0, -1]].tolist() == [1, rows]
        assert found["loss"][[0, -1]].tolist() == values[[0, -1]].tolist()
        assert (np.diff(found["step"].astype("int64")) > 0).all()


def test_a_weight_changed_by_hand_is_in_the_next_step(tmp_path: Path) -> None:
    """The total follows at once; the heads do not jump."""

    class Steer(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: object = None) -> None:
            if batch == 4:
                self.model.head_weights["image"].assign(100.0)

    found = train("tiny", epochs=1, batch_size=32, out=tmp_path, callbacks=[Steer()])
    found = open_run(found.path)
    share = found.curves["loss"] / found.curves["image_loss"]
    assert share[4] < 50 < share[5]
