"""Contract checks for plugins, for tests; each raises AssertionError with what is wrong.

    from ed_core.testing import check_model
    def test_my_model():
        check_model("my_model")

A plugin that passes trains, records, saves, resumes and shows in the window on every backend.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from ed_core.data.batches import Batches
from ed_core.data.checks import check_array, check_shapes, check_values
from ed_core.data.preparation import prepared
from ed_core.data.targets import needed_fields
from ed_core.engine import randomness, tuning
from ed_core.errors import EdkitError
from ed_core.nn.optimizers import ScaledSchedule
from ed_core.nn.submodels import call, to_numpy
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.findings import Finding, read_facts
from ed_core.plugins.options import FilePath, Option
from ed_core.plugins.spec import Dataset, DatasetSpec, Field, Fields, InputRecord, ModelSpec
from ed_core.probes import Probe
from ed_core.recording import RecordingWriter
from ed_core.runs.rebuilding import build, load_weights, save_weights
from ed_core.seeds import Seeds
from ed_core.training.callbacks import weight_schedules
from ed_core.training.hooks import called_as, initialise, make_augment, make_optimizer
from ed_core.training.options import TRAINING_OPTIONS

SAMPLES = 8


def check_model(name: str, fields: Fields | None = None) -> None:
    """Check a registered model.

    It is documented; its options are plain JSON; it builds from the fields of its data set and
    its heads and probes fit; every loss and metric gives one value a sample or a position; the same
    seed gives the same weights; random layers have seeds of their own; one step moves all weights
    and leaves them finite, or, where heads count for a part of a training, one step in each part;
    its optimizer, its augmentation and what sets its initial weights take and return what
    docs/write-a-model.md says, and a step with all leaves finite weights; outputs differ between
    inputs and repeat; weights survive saving; every probe passes `check_probe`.

    Args:
        name: of the model.
        fields: build for these instead of the fields of its data set.
    """
    spec = MODELS[name]
    assert spec.summary, f"{name}: the builder has no docstring"
    for option in spec.options.values():
        check_option(option)
        assert option.name not in TRAINING_OPTIONS, (
            f"{name}: {option.name!r} is an option of training"
        )
    params = spec.check({})
    fields = fields or DATASETS[spec.data].load().fields
    objective = build(spec, fields, params, seed=1)
    check_shapes(objective, spec.heads, fields)
    again = build(spec, fields, params, seed=1)
    for first, second in zip(objective.layer_weights, again.layer_weights, strict=True):
        same = np.array_equal(to_numpy(first), to_numpy(second))
        assert same, f"{name}: seed 1 gave two different values of {first.path}"
    _check_seeds(name, objective)
    objective = _moved_by_a_step(spec, fields)
    _check_outputs(name, objective, fields)
    _check_hooks(spec, again, fields)
    _check_saving(name, objective, again)
    for probe in spec.probes:
        if probe.suits(objective):
            check_probe(probe, objective, tiny_arrays(fields))


def check_option(option: Option) -> None:
    """Check that an option's default has its type and survives JSON."""
    value = option.check(option.default)
    assert option.check(json.loads(json.dumps(value))) == value, f"{option.name}: not plain JSON"


def check_dataset(name: str, **options: Any) -> Dataset:
    """Check a registered data set and return it.

    It is documented; it has a `train` split and another; every array fits its field; no two fields
    of a split, or of the whole, differ in length; loading twice gives the same arrays. What it fits
    is plain JSON, and what is fitted on one split is applied to every sample by itself, wherever it
    comes from. A loader of files says what it inferred and what it left out: it has findings, the
    options that they name are its own, and one is about the split where it drew that itself.
    """
    spec = DATASETS[name]
    assert spec.summary, f"{name}: the function has no docstring"
    data = spec.load(**options)
    again = spec.load(**options)
    assert "train" in data.splits, f"{name}: splits {[*data.splits]}"
    assert len(data.splits) > 1, f"{name}: splits {[*data.splits]}"
    _check_preparation(name, data)
    _check_findings(spec, data, options)
    data, again = (prepared(each, InputRecord()) for each in (data, again))
    whole, repeated = ({"all": one.whole} if one.whole else {} for one in (data, again))
    second_time = {**again.splits, **repeated}
    for split, arrays in {**data.splits, **whole}.items():
        assert set(arrays) == set(data.fields), f"{name}/{split}: arrays {[*arrays]}"
        lengths = {len(array) for array in arrays.values()}
        assert len(lengths) == 1, f"{name}/{split}: lengths {lengths}"
        assert min(lengths) > 0, f"{name}/{split}: no samples"
        for field, array in arrays.items():
            check_array(array, data.fields[field], f"{name}/{split}/{field}")
            check_values(array, data.fields[field], f"{name}/{split}/{field}")
            part, second = np.asarray(array[:64]), np.asarray(second_time[split][field][:64])
            same = np.array_equal(part, second, equal_nan=part.dtype.kind == "f")
            assert same, f"{name}/{split}/{field}: loading twice gave different arrays"
    return data


def _check_findings(spec: DatasetSpec, data: Dataset, options: Mapping[str, Any]) -> None:
    """Check that a loader of files says what it inferred, each with an option that there is."""
    findings = data.input.findings
    for finding in findings:
        assert isinstance(finding, Finding), f"{spec.name}: finding {finding!r}"
        assert finding.text, f"{spec.name}: a finding about {finding.about!r} says nothing"
        named = re.match(r"(\w+)=", finding.option)
        exists = not named or named[1] in spec.options
        assert exists, f"{spec.name}: a finding names option {finding.option!r}, which it lacks"
    assert read_facts(json.loads(json.dumps([asdict(one) for one in findings]))) == findings
    files = [name for name, option in spec.options.items() if option.type is FilePath]
    if any(options.get(name) for name in files):
        assert findings, f"{spec.name}: reads a file, and has no findings of what it inferred"
        drawn = data.whole is not None and len(data.splits) > 1
        has_split = any(finding.about == "split" for finding in findings)
        assert has_split or not drawn, (
            f"{spec.name}: draws the splits, and no finding is about 'split'"
        )


def _check_preparation(name: str, data: Dataset) -> None:
    """Check that a data set's hook fits plain JSON, and changes each sample by that alone."""
    hook, train = data.preparation, data.splits["train"]
    if data.groups is not None:
        assert len(data.groups.of) == len(next(iter(train.values()))), f"{name}: groups"
    if hook is None:
        return
    whose = f"data set {name!r}"
    fitted = _called(whose, "Preparation.fit(train)", hook.fit, train)
    assert json.loads(json.dumps(fitted)) == fitted, f"{name}: what is fitted is not plain JSON"
    for split in data.splits:
        some = {field: np.asarray(array[:8]) for field, array in data.splits[split].items()}
        together = _called(whose, "Preparation.apply(arrays, fitted)", hook.apply, some, fitted)
        for row in range(len(next(iter(some.values())))):
            one = hook.apply({f: array[row : row + 1] for f, array in some.items()}, fitted)
            for field in some:
                alone, among = np.asarray(one[field])[0], np.asarray(together[field])[row]
                same = np.array_equal(alone, among, equal_nan=among.dtype.kind == "f")
                assert same, f"{name}/{split}/{field}: a sample is changed by those beside it"


def check_probe(probe: Probe, net: Any, batch: dict[str, np.ndarray]) -> None:
    """Check a probe on a model: names, axes, finite numbers of fixed shape, and that it records."""
    assert probe.kind, f"{type(probe).__name__}: no kind"
    assert hash(probe) == hash(probe), "a probe is a frozen dataclass"
    read = _called(probe.name, "Probe.bind(net)", probe.bind, net)
    assert callable(read), f"{probe.name}: bind(net) returns {type(read).__name__}, no function"
    first, second = (_called(probe.name, "what bind returns(batch)", read, batch) for _ in "ab")
    assert first, f"{probe.name}: records nothing"
    for name, array in first.items():
        assert isinstance(array, np.ndarray), f"{probe.name}/{name}: {type(array)}, not numpy"
        assert len(probe.axes(name, array.ndim)) == array.ndim, f"{probe.name}/{name}: axes"
        assert np.isfinite(array.astype("f8")).all(), f"{probe.name}/{name}: not finite"
        assert array.shape == second[name].shape, f"{probe.name}/{name}: the shape changes"
        assert np.array_equal(array, second[name]), f"{probe.name}/{name}: calls differ"
    _check_recording(probe, first, batch)


def _called(what: str, form: str, function: Any, *args: Any) -> Any:
    """Return what a function gives; AssertionError says the right signature if it cannot."""
    try:
        return called_as(what, form, function, *args)
    except EdkitError as error:
        raise AssertionError(str(error)) from error


def check_layer(layer: layers.Layer, inputs: Any) -> None:
    """Check a layer: config round trip, shape inference, finite output, and saved weights."""
    outputs = layer(inputs)
    config = layer.get_config()
    assert json.loads(json.dumps(config)) == config, f"{layer.name}: its config is not plain JSON"
    copy = type(layer).from_config(config)
    assert copy.get_config() == config, f"{layer.name}: config and __init__ do not mirror"
    copied = copy(inputs)
    copy.set_weights(layer.get_weights())
    shape = layer.compute_output_shape(keras.tree.map_structure(lambda x: tuple(x.shape), inputs))
    assert tuple(shape) == tuple(outputs.shape), f"{layer.name}: {shape} is not {outputs.shape}"
    assert np.isfinite(ops.convert_to_numpy(outputs)).all(), f"{layer.name}: not finite"
    assert tuple(copied.shape) == tuple(outputs.shape)


def tiny_arrays(fields: Fields, samples: int = SAMPLES, seed: int = 0) -> dict[str, np.ndarray]:
    """Return random samples of every field, of the right shape and range."""
    rng = np.random.default_rng(seed)
    return {name: _random(rng, field, samples) for name, field in fields.items()}


def _random(rng: np.random.Generator, field: Field, samples: int) -> np.ndarray:
    shape = (samples, *field.shape)
    if field.kind == "class":
        return rng.integers(0, max(len(field.classes), 2), shape)
    if field.kind == "mask":
        return rng.integers(0, 2, shape).astype("f4")
    return rng.random(shape, dtype="f4")


def _check_seeds(name: str, objective: Any) -> None:
    for layer in _all_layers(objective):
        generator = getattr(layer, "seed_generator", None)
        seed = layer.get_config().get("seed") if generator is not None else 0
        assert seed is not None, f"{name}: layer {layer.name!r} needs a seed of its own"


def _all_layers(model: Any) -> list[Any]:
    layers_found = []
    for layer in model.layers:
        layers_found += _all_layers(layer) if isinstance(layer, keras.Model) else [layer]
    return layers_found


def _moved_by_a_step(spec: ModelSpec, fields: Fields) -> Any:
    """Return a model of which a step moved every weight; a ReLU may start dead, so try three."""
    always: set[int] | None = None
    for seed in (1, 2, 3):
        objective = build(spec, fields, spec.check({}), seed=seed)
        still = _still_after_steps(spec, objective, fields)
        if not still:
            return objective
        always = still if always is None else always & still
    paths = [objective.trainable_variables[number].path for number in sorted(always or ())]
    raise AssertionError(f"{spec.name}: one step did not move {paths or 'every weight'}")


def _parts(spec: ModelSpec, objective: Any) -> list[dict[str, float]]:
    """Return the weights of the heads in each part of a training, once they have risen."""
    steps = 1000
    every = weight_schedules(objective.heads, spec.weights(spec.check({})), {}, steps)
    starts = {0, *(int(at) for one in every.values() for at in (one.begin, one.end) if at < steps)}
    return [{name: one(start) for name, one in every.items()} for start in sorted(starts)]


def _still_after_steps(spec: ModelSpec, objective: Any, fields: Fields) -> set[int]:
    """Train a step in each part of a training; return which weights that left as they were."""
    batches = Batches(tiny_arrays(fields), list(objective.input), objective.heads, SAMPLES, seed=0)
    objective.compile(optimizer=keras.optimizers.Adam(1e-3), jit_compile=tuning.jit_compile())
    randomness.reseed(objective, Seeds(1))
    before = [to_numpy(v) for v in objective.trainable_variables]
    for weights in _parts(spec, objective):
        for name, weight in weights.items():
            objective.head_weights[name].assign(weight)
        history = objective.fit(batches, verbose=0, shuffle=False).history
        for log, values in history.items():
            assert np.isfinite(values).all(), f"{spec.name}: {log} is {values}"
    after = [to_numpy(v) for v in objective.trainable_variables]
    assert all(np.isfinite(a).all() for a in after), f"{spec.name}: weights are not finite"
    pairs = enumerate(zip(before, after, strict=True))
    return {number for number, (old, new) in pairs if np.array_equal(old, new)}


def _check_hooks(spec: ModelSpec, objective: Any, fields: Fields) -> None:
    """Take a step with a model's own optimizer, augmentation and initial weights, if any."""
    if not (spec.optimizer or spec.augment or spec.initialise):
        return
    params = spec.check({})
    names = needed_fields(objective.input, objective.heads)
    arrays = {name: array for name, array in tiny_arrays(fields).items() if name in names}
    decay = keras.optimizers.schedules.CosineDecay(1e-3, 1000)
    try:
        initialise(spec, objective, arrays, params)
        augment = make_augment(spec, params, arrays)
        rate = ScaledSchedule(decay, steps=1000)
        optimizer = make_optimizer(spec, objective, rate, params)
    except EdkitError as error:
        raise AssertionError(str(error)) from error
    batches = Batches(
        arrays, list(objective.input), objective.heads, SAMPLES, seed=0, augment=augment
    )
    objective.compile(optimizer=optimizer, jit_compile=tuning.jit_compile())
    objective.fit(batches, verbose=0, shuffle=False)
    moved = [to_numpy(variable) for variable in objective.trainable_variables]
    assert all(np.isfinite(one).all() for one in moved), f"{spec.name}: weights are not finite"


def _check_outputs(name: str, objective: Any, fields: Fields) -> None:
    batch = tiny_arrays(fields)
    first, second = call(objective, batch), call(objective, batch)
    for output, values in first.items():
        assert np.array_equal(values, second[output]), f"{name}: {output!r} is random in use"
        assert len(values) == SAMPLES, f"{name}: {output!r} has {len(values)} rows"
        assert np.ptp(values, axis=0).max() > 0, f"{name}: {output!r} ignores the input"


def _check_saving(name: str, objective: Any, fresh: Any) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "weights.h5"
        save_weights(objective, path)
        load_weights(fresh, path)
    for first, second in zip(objective.layer_weights, fresh.layer_weights, strict=True):
        same = np.array_equal(to_numpy(first), to_numpy(second))
        assert same, f"{name}: {first.path} changed when saved and loaded"


def _check_recording(
    probe: Probe, arrays: dict[str, np.ndarray], batch: dict[str, np.ndarray]
) -> None:
    from ed_core.probes.header import guess_fields, probe_info
    from ed_core.recording import Header, Recording

    info = probe_info(probe, arrays, guess_fields(batch))
    header = Header({}, guess_fields(batch), (info,), ("loss",))
    with TemporaryDirectory() as folder:
        with RecordingWriter(Path(folder), header, batch) as writer:
            writer.append(0, 0.0, 0.0, {probe.name: arrays})
        recording = Recording(Path(folder) / "0000.h5")
        read = recording.read(probe.name, 0)
        recording.close()
    for name, array in arrays.items():
        assert np.array_equal(read[name], array), f"{probe.name}/{name}: recorded differently"
