"""New data are prepared as those of the training were: fitted values, and classes by name."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ed_core import (
    DATASETS,
    Dataset,
    EdkitError,
    Field,
    Fields,
    Standardisation,
    dataset,
    evaluate,
    open_run,
    train,
)
from ed_core.data.loading import load_data
from ed_core.data.preparation import as_trained, hook_of, prepared
from ed_core.plugins.spec import InputRecord

pytestmark = [pytest.mark.backend, pytest.mark.once]

HOOK = Standardisation("signal")


def signals(rows: np.ndarray, **more: Any) -> Dataset:
    fields = Fields(signal=Field(rows.shape[1:], "signal"))
    return Dataset(fields, {"train": {"signal": rows}, "test": {"signal": rows}}, **more)


@given(st.floats(-1e4, 1e4), st.floats(0.01, 1e3), st.integers(1, 3))
def test_a_standardised_channel_has_mean_0_and_deviation_1(
    offset: float, scale: float, channels: int
) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 8, channels))
    rows = (offset + scale * rows).astype("float32")
    fitted = HOOK.fit({"signal": rows})
    assert json.loads(json.dumps(fitted)) == fitted
    columns = rows.reshape(-1, channels).astype("f8")
    assert fitted["mean"] == pytest.approx(columns.mean(0).tolist(), rel=1e-9, abs=1e-9)
    assert fitted["deviation"] == pytest.approx(columns.std(0).tolist(), rel=1e-6)
    got = HOOK.apply({"signal": rows}, fitted)["signal"].astype("f8").reshape(-1, channels)
    assert got == pytest.approx((columns - columns.mean(0)) / columns.std(0), abs=1e-4)


def test_what_is_not_there_is_the_mean() -> None:
    rows = np.array([[[1.0], [3.0]], [[np.nan], [np.nan]]])
    fitted = HOOK.fit({"signal": rows})
    assert fitted == {"standardised": "signal", "mean": [2.0], "deviation": [1.0]}
    assert HOOK.apply({"signal": rows}, fitted)["signal"].ravel().tolist() == [-1, 1, 0, 0]


def test_gaps_and_the_unit_are_kept_with_what_is_fitted() -> None:
    rows = np.array([[[1.0], [3.0]], [[np.nan], [np.nan]]])
    hook = Standardisation("signal", gaps=True, unit="full scale", strict=True)
    fitted = hook.fit({"signal": rows})
    assert fitted["unit"] == "full scale"
    again = hook_of(InputRecord(fitted))
    assert again is not None
    for one in (hook, again):
        scaled = one.apply({"signal": rows}, fitted)["signal"].ravel()
        np.testing.assert_array_equal(scaled, [-1, 1, np.nan, np.nan])
    del fitted["unit"]
    with pytest.raises(EdkitError, match=r"are not in units of full scale, .*: train it again"):
        hook.apply({"signal": rows}, fitted)


def test_other_data_are_prepared_as_the_runs_were() -> None:
    rows = np.random.default_rng(0).normal(size=(50, 8, 1))
    data = prepared(signals(rows, preparation=HOOK), InputRecord())
    other = as_trained(signals(10 * rows + 100, preparation=HOOK), data.fields, data.input)
    fitted = data.input.fitted
    assert fitted is not None
    expected = (10 * rows + 100 - fitted["mean"]) / fitted["deviation"]
    assert np.asarray(other.splits["test"]["signal"]) == pytest.approx(expected, rel=1e-5)
    # A file of another kind of data set is prepared by the hook of the run's own.
    arrays = as_trained(signals(10 * rows + 100), data.fields, data.input, HOOK)
    assert np.asarray(arrays.splits["test"]["signal"]) == pytest.approx(expected, rel=1e-5)
    alone = as_trained(signals(10 * rows + 100), data.fields, data.input)
    assert np.asarray(alone.splits["test"]["signal"]) == pytest.approx(expected, rel=1e-5)
    with pytest.raises(EdkitError, match="values that its data set fitted"):
        as_trained(signals(rows), data.fields, InputRecord({"codes": [1]}))
    # A run whose own data were taken as they are takes others so as well.
    plain = as_trained(signals(rows, preparation=HOOK), data.fields, InputRecord())
    assert np.array_equal(plain.splits["test"]["signal"], rows)
    wrong = as_trained(
        signals(np.repeat(rows, 2, axis=-1), preparation=HOOK), data.fields, data.input
    )
    with pytest.raises(EdkitError, match="2 channels"):
        wrong.splits["test"]


def labelled(classes: tuple[str, ...], label: list[int]) -> Dataset:
    fields = Fields(label=Field((), "class", classes), image=Field((1,), "value"))
    rows = {"label": np.array(label), "image": np.zeros((len(label), 1), "float32")}
    return Dataset(fields, {"train": rows, "test": rows})


@given(st.permutations(["cat", "dog", "eel", "fox"]), st.integers(1, 4))
def test_classes_are_matched_by_name(names: list[str], count: int) -> None:
    known = labelled(("cat", "dog", "eel", "fox"), [0]).fields
    given_ = tuple(names[:count])
    data = as_trained(labelled(given_, [*range(count), -1]), known, InputRecord())
    assert data.fields["label"].classes == known["label"].classes
    found = np.asarray(data.splits["test"]["label"][:])
    assert [known["label"].classes[one] for one in found[:-1]] == [*given_]
    assert found[-1] == -1


def test_a_class_that_the_run_does_not_know_is_refused() -> None:
    known = labelled(("cat", "dog"), [0]).fields
    with pytest.raises(EdkitError, match="has the class 'emu' and 1 others that the run does not"):
        as_trained(labelled(("dog", "emu", "fox"), [0]), known, InputRecord())


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("signals")
    time = np.arange(4000)
    healthy = np.sin(time / 5) + 0.1 * np.random.default_rng(0).normal(size=time.size)
    for name, values in (("ok", healthy), ("broken", 10 * healthy + 100)):
        np.savetxt(folder / f"{name}.csv", values, header="v", comments="")
    return folder


def test_a_sensor_with_another_gain_shows(files: Path, tmp_path: Path) -> None:
    data = f"signals:path={files / 'ok.csv'},window=64"
    run = train("signal_autoencoder", data, epochs=2, batch_size=16, filters=(4,), out=tmp_path)
    kept = json.loads((run.path / "run.json").read_text())["input"]["fitted"]
    raw = np.asarray(load_data(data).splits["train"]["signal"][:45], "f8")
    assert kept["mean"] == pytest.approx([raw.mean()], abs=1e-6)
    by_hand = open_run(run.path).prepare({"signal": raw[:3]})["signal"]
    assert by_hand == pytest.approx((raw[:3] - kept["mean"]) / kept["deviation"], abs=1e-5)
    own = evaluate(open_run(run.path))["mse"]
    same = evaluate(open_run(run.path), data, split="test")["mse"]
    assert same == pytest.approx(own)
    broken = evaluate(open_run(run.path), f"signals:path={files / 'broken.csv'},window=64")["mse"]
    assert broken > 100 * own


class Halved:
    """A preparation of somebody's own, whose fitted values are no list."""

    def fit(self, train: Any) -> dict[str, Any]:
        return {"mean": 0.5, "by": {"factor": 2}}

    def apply(self, arrays: Any, fitted: Any) -> dict[str, Any]:
        return {**arrays, "image": arrays["image"] / fitted["by"]["factor"]}


def test_a_run_opens_whatever_its_data_set_fitted(tmp_path: Path) -> None:
    with DATASETS.isolated():

        @dataset
        def halves() -> Dataset:
            image = np.random.default_rng(0).random((40, 4, 4, 1), dtype="float32")
            return Dataset(
                Fields(image=Field((4, 4, 1))), {"train": {"image": image}}, preparation=Halved()
            )

        options: dict[str, Any] = {
            "epochs": 1,
            "batch_size": 16,
            "hidden": (4,),
            "latent": 2,
            "record": False,
        }
        run = train("dense_autoencoder", "halves", out=tmp_path, **options)
        again = open_run(run.path)
        assert again.input.fitted == {"mean": 0.5, "by": {"factor": 2}}
        assert again.prepare({"image": np.ones((1, 4, 4, 1))})["image"].max() == 0.5
