"""Every registered model, saved by Keras, is the same one when another process has loaded it."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ed_core import EdkitError
from ed_core.engine import randomness
from ed_core.nn.inference_model import inference_model
from ed_core.nn.layers import shared_networks
from ed_core.nn.optimizers import ScaledSchedule
from ed_core.nn.submodels import submodel, to_numpy
from ed_core.plugins.decorators import MODELS
from ed_core.plugins.registry import is_convolutional
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.rebuilding import build
from ed_core.training.hooks import make_optimizer

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[3]
FIELDS = Fields(
    image=Field((8, 8, 1)),
    elevation=Field((8, 8, 1), "value"),
    label=Field((), "class", ("a", "b", "c")),
    coarse=Field((), "class", ("A", "B")),
    angle=Field((), "value"),
    mask=Field((8, 8), "class", ("x", "y")),
    signal=Field((8, 1), "signal"),
    video=Field((4, 8, 8, 1), "video"),
)
TINY: dict[str, Any] = {"filters": (3, 2), "elevation_filters": (3, 2), "hidden": (5,), "latent": 3}
SAMPLES = 2
PARTS = ("", "encoder", "decoder", "discriminator")
# Whose layers have every kind of counterpart; the others have no more.
INFERRED = ("classifier", "defect_detector", "gan", "stacked_autoencoder", "vae")

CHILD = """
import json, sys, pathlib
import keras, numpy as np
keras.initializers.VarianceScaling.__call__ = (
    lambda self, shape, dtype=None: keras.ops.convert_to_tensor(np.zeros(shape, dtype))
)
folder = pathlib.Path(sys.argv[1])
def outputs(path):
    model = keras.models.load_model(path)
    inputs = dict(np.load(path.with_suffix(".inputs.npz")))
    np.savez(path.with_suffix(".found.npz"), **model.predict_on_batch(inputs))
    return model
for path in folder.glob("plain-*.keras"):
    outputs(path)
assert not [name for name in sys.modules if name.startswith("ed_")]
import ed_core
facts = {}
for path in folder.glob("whole-*.keras"):
    model = outputs(path)
    state = [*model.optimizer.variables, *model.head_weights.values()]
    from ed_core.engine import randomness  # only now: a file brings all that it needs
    from ed_core.nn.layers import shared_networks
    state += randomness.seed_generators(model)
    np.savez(path.with_suffix(".state.npz"), *[keras.ops.convert_to_numpy(v) for v in state])
    facts[path.stem] = dict(
        heads=[[head.name, head.loss.__name__, len(head.metrics)] for head in model.heads],
        shared=shared_networks(model),
        optimizer=type(model.optimizer).__name__,
        factors=[len(getattr(model.optimizer, key, ())) for key in ("_factors", "_ends")],
    )
(folder / "facts.json").write_text(json.dumps(facts))
"""


def zeros(self: Any, shape: Any, dtype: Any = None) -> Any:
    """Stand in for a draw, which JAX would compile for each shape: no weight keeps its first."""
    return keras.ops.convert_to_tensor(np.zeros(shape, dtype))


def build_tiny(name: str) -> Any:
    """Build and compile a model; every weight, also of the optimizer, holds a number of its own."""
    spec = MODELS[name]
    given = {
        key: value if isinstance(spec.options[key].default, tuple) else value[0]
        for key, value in {**TINY, "latent": (3,)}.items()
        if key in spec.options
    }
    net = build(spec, FIELDS, given, seed=1)
    rate = ScaledSchedule(keras.optimizers.schedules.CosineDecay(1e-3, 10), steps=10)
    net.compile(optimizer=make_optimizer(spec, net, rate, spec.check(given)))
    net.optimizer.build(net.trainable_variables)
    randomness.reseed(net, 3)
    rng = np.random.default_rng(0)
    for variable in [*net.layer_weights, *net.optimizer.variables]:
        if variable.dtype == "float32":
            variable.assign(to_numpy(variable) + rng.uniform(0.01, 0.1, variable.shape))
    return net


def inputs_for(model: Any) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(0)
    return {
        name: rng.integers(0, 2, (SAMPLES, *tensor.shape[1:]))
        if tensor.dtype == "int32"
        else rng.random((SAMPLES, *tensor.shape[1:]), dtype="f4")
        for name, tensor in model.input.items()
    }


def save(model: Any, path: Path) -> dict[str, np.ndarray]:
    model.save(path)
    given = inputs_for(model)
    np.savez(path.with_suffix(".inputs.npz"), **given)
    return given


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All models, saved here, and loaded by another process: Keras alone, then with ed_core."""
    folder = tmp_path_factory.mktemp("saved")
    models = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.initializers.VarianceScaling, "__call__", zeros)
        for name in MODELS:
            models[name] = build_tiny(name)
            path = folder / f"whole-{name}.keras"
            expected = models[name].predict_on_batch(save(models[name], path))
            np.savez(path.with_suffix(".expected.npz"), **expected)
            for part in PARTS if name in INFERRED else ():
                with suppress(EdkitError):  # it has no such part, or it draws noise
                    whole = submodel(models[name], part) if part else models[name]
                    save(inference_model(whole), folder / f"plain-{name}-{part}.keras")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", CHILD, str(folder)], check=True, env=environment)
    return folder, models


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as file:
        return dict(file)


def assert_same(first: dict[str, np.ndarray], second: dict[str, np.ndarray]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert np.array_equal(first[name], second[name]), name


@pytest.mark.parametrize("name", list(MODELS))
def test_a_loaded_model_is_the_saved_one(saved: tuple[Path, dict[str, Any]], name: str) -> None:
    folder, models = saved
    net = models[name]
    expected = arrays(folder / f"whole-{name}.expected.npz")
    assert_same(expected, arrays(folder / f"whole-{name}.found.npz"))
    state = [
        *net.optimizer.variables,
        *net.head_weights.values(),
        *randomness.seed_generators(net),
    ]
    kept = {f"arr_{number}": to_numpy(variable) for number, variable in enumerate(state)}
    assert_same(kept, arrays(folder / f"whole-{name}.state.npz"))
    facts = json.loads((folder / "facts.json").read_text())[f"whole-{name}"]
    assert facts["heads"] == [[h.name, h.loss.__name__, len(h.metrics)] for h in net.heads]
    assert facts["shared"] == shared_networks(net)
    assert facts["optimizer"] == type(net.optimizer).__name__
    factors = [len(getattr(net.optimizer, key, ())) for key in ("_factors", "_ends")]
    assert facts["factors"] == factors


def test_the_networks_that_are_shared_stay_shared(saved: tuple[Path, dict[str, Any]]) -> None:
    facts = json.loads((saved[0] / "facts.json").read_text())
    assert facts["whole-gan"]["shared"] == {"still": "discriminator"}
    assert facts["whole-stacked_autoencoder"]["shared"] == {"outer_alone": "decoder/decoder"}


@pytest.mark.parametrize("name", INFERRED)
def test_what_a_model_infers_is_loaded_by_keras_alone(
    saved: tuple[Path, dict[str, Any]], name: str
) -> None:
    folder, models = saved
    found = 0
    for part in PARTS:
        try:
            model = submodel(models[name], part) if part else models[name]
        except EdkitError:
            continue
        if name == "gan" and not part:  # it draws noise
            with pytest.raises(EdkitError, match="'noise' is a Noise, which Keras does not have"):
                inference_model(model)
            continue
        plain = folder / f"plain-{name}-{part}"
        expected = model.predict_on_batch(arrays(plain.with_suffix(".inputs.npz")))
        assert_same(expected, arrays(plain.with_suffix(".found.npz")))
        found += 1
    assert found


@pytest.mark.parametrize("name", list(MODELS))
def test_a_package_says_which_of_its_models_have_convolutions(
    saved: tuple[Path, dict[str, Any]], name: str
) -> None:
    def convolves(layer: Any) -> bool:
        below = layer.layers if isinstance(layer, keras.Model) else ()
        below = [layer.layer] if isinstance(layer, keras.layers.Wrapper) else below
        return "Conv" in type(layer).__name__ or any(map(convolves, below))

    assert is_convolutional(MODELS.groups, name) is convolves(saved[1][name])
