"""Records two steps of every registered model into run folders: python record_models.py FOLDER.

A process of its own, since the tests of the window load no Keras.
"""

import sys
from dataclasses import asdict
from pathlib import Path

import keras

from ed_core import Fields, Recorder
from ed_core.data.batches import Batches
from ed_core.engine import tuning
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.runs.rebuilding import build
from ed_core.testing import tiny_arrays
from ed_plugins.datasets import fashion_mnist

SAMPLES, BATCH = 8, 4
SMALL = {"samples": 20, "size": 32}
OF_DOWNLOADED = {"fashion_mnist": fashion_mnist.FIELDS}  # known without its files


def small(data: str) -> Fields:
    options = DATASETS[data].options
    return DATASETS[data].load(**{k: v for k, v in SMALL.items() if k in options}).fields


def record(name: str, folder: Path) -> None:
    spec = MODELS[name]
    fields = OF_DOWNLOADED.get(spec.data) or small(spec.data)
    net = build(spec, fields, spec.check({}), seed=1)
    arrays = tiny_arrays(fields, SAMPLES)
    batches = Batches(arrays, list(net.input), net.heads, BATCH, seed=0)
    net.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=tuning.jit_compile())
    facts = {field: asdict(value) for field, value in fields.items()}
    said = {"model": name, "data": spec.data, "heads": [head.name for head in net.heads]}
    recorder = Recorder(folder / name, spec.probes, arrays, fields=facts, every=1, run=said)
    net.fit(batches, epochs=1, verbose=0, shuffle=False, callbacks=[recorder])


if __name__ == "__main__":
    for model in MODELS:
        record(model, Path(sys.argv[1]))
