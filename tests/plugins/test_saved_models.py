"""Every registered model, saved by Keras, is the same one when another process has loaded it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from ed_core import EdkitError
from ed_core.engine import randomness
from ed_core.hooks import make_optimizer
from ed_core.inference import inference_model
from ed_core.learning_rate import ScaledSchedule
from ed_core.plugins import GROUP, MODELS
from ed_core.registry import is_convolutional
from ed_core.run import build
from ed_core.shared_network import shared_networks
from ed_core.spec import Field, Fields
from ed_core.submodels import submodel, to_numpy

pytestmark = pytest.mark.backend

ROOT = Path(__file__).parents[2]
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
INFERRED = ("classifier", "gan", "stacked_autoencoder", "vae")

CHILD = """
import json, sys, pathlib
import numpy as np
{first}
folder = pathlib.Path(sys.argv[1])
def outputs(path):
    model = keras.models.load_model(path)
    inputs = dict(np.load(path.with_suffix(".inputs.npz")))
    np.savez(path.with_suffix(".found.npz"), **model.predict_on_batch(inputs))
    return model
for path in sorted(folder.glob("plain-*.keras")):
    outputs(path)
{second}
from ed_core.engine import randomness
from ed_core.shared_network import shared_networks
facts = {{}}
for path in sorted(folder.glob("{glob}")):
    model = outputs(path)
    state = [*model.optimizer.variables, *model.head_weights.values()]
    state += randomness.seed_generators(model)
    np.savez(path.with_suffix(".state.npz"), *[keras.ops.convert_to_numpy(v) for v in state])
    facts[path.stem] = dict(
        heads=[[head.name, head.loss.__name__, len(head.metrics)] for head in model.heads],
        shared=shared_networks(model),
        optimizer=type(model.optimizer).__name__,
        factors=[len(getattr(model.optimizer, key, ())) for key in ("_factors", "_ends")],
    )
(folder / "{name}.json").write_text(json.dumps(facts))
"""


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


def save(model: Any, path: Path) -> None:
    model.save(path)
    given = inputs_for(model)
    np.savez(path.with_suffix(".inputs.npz"), **given)
    np.savez(path.with_suffix(".expected.npz"), **model.predict_on_batch(given))


def child(folder: Path, first: str, second: str, glob: str, name: str) -> None:
    code = CHILD.format(first=first, second=second, glob=glob, name=name)
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_COMPILATION_CACHE_DIR": str(folder)}
    environment["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment)


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """All models, saved here, and loaded by two other processes that import in either order."""
    folder = tmp_path_factory.mktemp("saved")
    models = {}
    for name in MODELS:
        models[name] = build_tiny(name)
        save(models[name], folder / f"{name}.keras")
        for part in PARTS if name in INFERRED else ():
            try:
                inferred = inference_model(submodel(models[name], part) if part else models[name])
            except EdkitError:
                continue
            save(inferred, folder / f"plain-{name}-{part}.keras")
    alone = "assert not [name for name in sys.modules if name.startswith('ed_')]"
    child(folder, "import keras", f"{alone}; import ed_core", "[gv]a*.keras", "keras_first")
    for path in folder.glob("plain-*.keras"):
        path.rename(path.with_suffix(".read"))
    child(folder, "import ed_core; import keras", "", "*.keras", "ed_core_first")
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
    expected = arrays(folder / f"{name}.expected.npz")
    assert_same(expected, arrays(folder / f"{name}.found.npz"))
    state = [
        *net.optimizer.variables,
        *net.head_weights.values(),
        *randomness.seed_generators(net),
    ]
    kept = {f"arr_{number}": to_numpy(variable) for number, variable in enumerate(state)}
    assert_same(kept, arrays(folder / f"{name}.state.npz"))
    facts = json.loads((folder / "ed_core_first.json").read_text())[name]
    assert facts["heads"] == [[h.name, h.loss.__name__, len(h.metrics)] for h in net.heads]
    assert facts["shared"] == shared_networks(net)
    assert facts["optimizer"] == type(net.optimizer).__name__
    factors = [len(getattr(net.optimizer, key, ())) for key in ("_factors", "_ends")]
    assert facts["factors"] == factors


def test_the_networks_that_are_shared_stay_shared(saved: tuple[Path, dict[str, Any]]) -> None:
    facts = json.loads((saved[0] / "ed_core_first.json").read_text())
    assert facts["gan"]["shared"] == {"still": "discriminator"}
    assert facts["stacked_autoencoder"]["shared"] == {"outer_alone": "decoder/decoder"}


def test_keras_may_be_imported_first(saved: tuple[Path, dict[str, Any]]) -> None:
    first, second = (
        json.loads((saved[0] / f"{name}.json").read_text())
        for name in ("keras_first", "ed_core_first")
    )
    assert {*first} == {"gan", "vae"}
    assert {name: second[name] for name in first} == first


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
        return "Conv" in type(layer).__name__ or any(map(convolves, below))

    assert is_convolutional(GROUP, name) is convolves(saved[1][name])
