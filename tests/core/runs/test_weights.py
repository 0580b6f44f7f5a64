"""The weights of a run, opened again: on any backend, and in the model that they fit alone."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from support import patience

import ed_core
from ed_core import EdkitError
from ed_core.engine import installed_backends
from ed_core.runs.rebuilding import load_weights
from ed_core.runs.weights_file import read_arrays, write_arrays

pytestmark = [pytest.mark.backend, pytest.mark.usefixtures("tiny")]


def test_opened_run_gives_the_same_outputs(tmp_path: Path, tiny: Any, fast: Any) -> None:
    run = fast(tmp_path)
    again = ed_core.open_run(run.path)
    images = {"image": tiny.splits["test"]["image"]}
    before, after = (r.model.predict(images, verbose=0) for r in (run, again))
    for name, array in before.items():
        assert np.array_equal(array, after[name]), name


OTHER = """
import runpy, sys
import numpy as np
import ed_core
from ed_core.data.batches import Batches
from ed_core.runs.weights_file import write_arrays
plugin = runpy.run_path(sys.argv[1])
run = ed_core.train("tiny", out=sys.argv[2], batch_size=32, epochs=1, record=False)
out = run.model.predict({"image": plugin["SPLITS"]["test"]["image"]}, verbose=0)
write_arrays(run.path / "outputs.h5", list(out.values()), {"names": list(out)})
print(run.path)
"""


def test_weights_of_another_backend(tmp_path: Path, tiny: Any, monkeypatch: Any) -> None:
    others = [name for name in installed_backends() if name != keras.config.backend()]
    if not others:
        pytest.skip("only one backend is installed")
    monkeypatch.setenv("KERAS_BACKEND", others[0])
    command = [sys.executable, "-c", OTHER, str(tiny.file), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=patience.OF_A_PROCESS)
    assert done.returncode == 0, done.stderr[-2000:]
    monkeypatch.undo()
    run = ed_core.open_run(done.stdout.splitlines()[-1])
    out = run.model.predict({"image": tiny.splits["test"]["image"]}, verbose=0)
    expected, facts = read_arrays(run.path / "outputs.h5")
    for name, array in zip(facts["names"], expected, strict=True):
        assert np.abs(out[name] - array).max() < 1e-5, name
    run.folder.update(status="stopped")
    with pytest.raises(EdkitError, match=rf"trained on '{others[0]}', this is .*--backend"):
        ed_core.resume(run.path)


def test_weights_that_do_not_fit(tmp_path: Path, fast: Any) -> None:
    run = fast(tmp_path)
    arrays, facts = read_arrays(run.folder.weights)
    arrays[0][0, 0] = np.nan
    write_arrays(run.folder.weights, arrays, facts)
    with pytest.raises(EdkitError, match="hidden/kernel holds numbers that are not finite"):
        ed_core.open_run(run.path)
    write_arrays(run.folder.weights, arrays[:-1], facts)
    with pytest.raises(EdkitError, match="arrays, this model has"):
        load_weights(run.model, run.folder.weights)
    run.folder.update(params={"latent": 3, "beta": 0.1})
    with pytest.raises(EdkitError, match="written by another model or with other options"):
        ed_core.open_run(run.path)
