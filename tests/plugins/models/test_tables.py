"""Models of the rows of a table: from a file with gaps to codes, classes and values."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import ed_core
from ed_core import DATASETS, MODELS, Field, Fields, InputRecord
from ed_core.data.batches import Batches
from ed_core.evaluation import evaluate
from ed_core.figures.figure_data import material
from ed_core.figures.reconstructions import signals
from ed_core.runs.rebuilding import build

pytestmark = pytest.mark.backend

RANDOM = np.random.default_rng(0)
ROWS = 120
SMALL = {"epochs": 2, "batch_size": 32, "record": False}


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    hidden = RANDOM.normal(size=ROWS)
    frame = pd.DataFrame(
        {
            "part_id": [f"P{row:03d}" for row in range(ROWS)],
            **{f"sensor_{n}": 50 * n + hidden * 10**n for n in range(3)},
            "colour": np.where(hidden > 0, "red", "blue"),
            "quality": np.where(hidden > 0.3, "good", "bad"),
            "price": 20_000 + 5000 * hidden,
        }
    )
    frame.loc[::7, "sensor_1"] = None
    frame.loc[::11, "colour"] = None
    frame.to_csv(tmp_path / "parts.csv", index=False)
    return tmp_path / "parts.csv"


def test_a_run_on_a_table_is_measured_drawn_and_reads_other_rows(parts, tmp_path):
    data = f"table:path={parts},label=quality,drop=price"
    run = ed_core.train(
        "dense_autoencoder", data, out=tmp_path, hidden=(8,), latent=2, **{**SMALL, "record": True}
    )
    measured = evaluate(run)
    assert measured["code_size"] == 2
    assert measured["features_count"] == 24
    assert {"mse", "pca_mse", "untrained_mse"} <= set(measured)
    figure = signals(material(run))
    assert figure is not None
    names = [text.get_text() for text in figure.axes[-1].get_xticklabels()]
    assert names == ["sensor_0", "sensor_1", "sensor_2", "colour=blue", "colour=red"]
    reading = InputRecord.from_facts(run.info["input"]).reading
    parts_elsewhere = parts.rename(tmp_path / "new.csv")  # the run works without its own data
    run = ed_core.open_run(run.path)
    samples = DATASETS["table"].files.open(
        parts_elsewhere, Fields(features=run.fields["features"]), reading or {}
    )
    rows: Any = samples.read(range(4))
    ready = run.prepare({"features": np.stack([one["features"] for one in rows])})
    features = np.asarray(ready["features"][:])
    assert samples.names[1] == "new.csv P001"
    assert features[0, 1] == 0  # an empty cell: the mean
    assert features[0, 3:].tolist() == [0, 0]  # and none of the categories
    codes = run.encoder.predict({"features": features}, verbose=0)["code"]
    assert codes.shape == (4, 2)


def test_a_class_and_a_value_are_predicted_from_rows(parts, tmp_path):
    data = f"table:path={parts},label=quality,drop=price"
    run = ed_core.train("classifier", data, out=tmp_path, units=(8,), hidden=(8,), **SMALL)
    assert {"label_accuracy", "label_majority"} <= set(evaluate(run))
    data = f"table:path={parts},label=price,drop=quality"
    run = ed_core.train("classifier", data, out=tmp_path, units=(8,), hidden=(8,), **SMALL)
    measured = evaluate(run)
    assert measured["value_rmse"] < 2 * measured["value_mean_rmse"]  # it starts at their scale


@pytest.mark.parametrize("name", ["dense_autoencoder", "vae"])
def test_what_is_missing_does_not_count(name):
    rows = RANDOM.normal(size=(32, 5)).astype("float32")
    there = (RANDOM.random((32, 5)) > 0.3).astype("float32")
    fields = Fields(features=Field((5,), "signal"), features_present=Field((5,), "mask"))
    net = build(MODELS[name], fields, {"hidden": (8,), "latent": 2}, seed=1)
    net.compile()

    def loss(target: np.ndarray) -> float:
        arrays = {"features": rows, "features_present": there}
        inputs, targets, weights = Batches(arrays, ["features"], net.heads, 32)[0]
        targets = {**targets, "features": target}
        logs = net.test_on_batch(inputs, targets, weights, return_dict=True)
        return float(logs["features_loss"])

    assert loss(np.where(there > 0, rows, 99)) == pytest.approx(loss(rows))
    assert loss(np.where(there > 0, 99, rows)) > 10 * loss(rows)
