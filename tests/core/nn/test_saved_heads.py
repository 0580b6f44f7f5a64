"""What Keras saves of an objective: by its own callbacks, by pickle, and with foreign losses."""

import functools
import pickle
import sys
import textwrap
import zipfile

import keras
import numpy as np
import pytest

from ed_core import (
    Head,
    Objective,
    Reconstruction,
    Recorder,
    SubmodelAdam,
    evaluate,
    losses,
    metrics,
    open_run,
    resume,
)
from ed_core.errors import EdkitError
from ed_core.nn.saved_heads import heads_config, heads_from
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.decorators import DATASETS, MODELS
from ed_core.plugins.registry import load_plugin_file

pytestmark = pytest.mark.backend

X = {"image": np.random.default_rng(0).random((8, 4), dtype="f4")}
Y = {"image": X["image"], "label": np.arange(8) % 3}


def small(loss=losses.sum_squared_error):
    image = keras.Input((4,), name="image")
    code = keras.layers.Dense(2, name="code")(image)
    code = keras.layers.Dropout(0.5, seed=3)(code)
    outputs = {
        "image": keras.layers.Dense(4)(code),
        "label": keras.layers.Dense(3, activation="softmax")(code),
        "code": code,
    }
    heads = (
        Head("image", loss),
        Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
        Head("code", losses.l1, weight=0.1),
    )
    net = Objective(
        keras.Model({"image": image}, outputs), heads, {"image": 1.0, "label": 2.0, "code": 0.1}
    )
    net.compile(optimizer=keras.optimizers.Adam(0.01))
    return net


def fit(net, **options):
    return net.fit(X, Y, epochs=2, batch_size=4, shuffle=False, verbose=0, **options).history


@pytest.mark.parametrize("way", ["save", "pickle", "checkpoint", "weights"])
def test_fit_goes_on_where_it_was(way, tmp_path):
    net, path = small(), tmp_path / "m.weights.h5" if way == "weights" else tmp_path / "m.keras"
    kept = keras.callbacks.ModelCheckpoint(str(path), save_weights_only=way == "weights")
    fit(net, callbacks=[kept] if way in ("checkpoint", "weights") else [])
    if way == "save":
        net.save(path)
    if way == "pickle":
        again = pickle.loads(pickle.dumps(net))
    elif way == "weights":
        again = small()
        again.optimizer.build(again.trainable_variables)
        again.load_weights(path)
    else:
        again = keras.models.load_model(path)
    net.head_weights["label"].assign(0.5)  # only of the one
    assert float(to_numpy(again.head_weights["label"])) == 2.0
    again.head_weights["label"].assign(0.5)
    assert fit(again) == fit(net)
    for first, second in zip(net.variables, again.variables, strict=True):
        assert np.array_equal(to_numpy(first), to_numpy(second)), first.path


def test_a_model_that_was_never_compiled(tmp_path):
    """As an opened run is."""
    first = small()
    weights = dict.fromkeys(first.head_weights, 1.0)
    net = Objective(keras.Model(first.input, first.output), first.heads, weights)
    net.save(tmp_path / "m.keras")
    again = keras.models.load_model(tmp_path / "m.keras")
    assert not again.compiled
    first, second = (one.predict(X, verbose=0) for one in (net, again))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_clone_has_the_graph():
    net = small()
    clone = keras.models.clone_model(net)
    clone.set_weights([to_numpy(variable) for variable in net.layer_weights])
    first, second = (one.predict(X, verbose=0) for one in (net, clone))
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_an_adam_of_submodels_that_knows_none_says_so():
    net = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    net.compile(SubmodelAdam(0.1, factors={"encoder": 2.0}), loss="mse", run_eagerly=True)
    with pytest.raises(EdkitError, match="bind"):
        net.train_on_batch(np.zeros((2, 2)), np.zeros((2, 1)))


@pytest.mark.parametrize("scaled", [False, True])
def test_an_adam_of_submodels_finds_them_again(scaled, tmp_path):
    """Of one that learns nothing, and within the optimizer that Keras makes in mixed precision."""
    image = keras.Input((4,), name="image")
    encoder = keras.Model(image, keras.layers.Dense(2)(image), name="encoder")
    encoder.trainable = scaled
    whole = keras.Model({"image": image}, {"image": keras.layers.Dense(4)(encoder(image))})
    net = Objective(whole, [Head("image", losses.sum_squared_error)], {"image": 1.0})
    adam = SubmodelAdam(0.1, factors={"encoder": 0.0})
    net.compile(keras.optimizers.LossScaleOptimizer(adam) if scaled else adam)
    net.save(tmp_path / "m.keras")
    net = keras.models.load_model(tmp_path / "m.keras")
    before = [to_numpy(variable) for variable in net.layer_weights]
    net.train_on_batch(X, {"image": X["image"]})
    same = [np.array_equal(b, to_numpy(v)) for b, v in zip(before, net.layer_weights, strict=True)]
    assert same == [True, True, False, False]


def test_a_loss_without_a_name_trains_and_is_not_saved(tmp_path):
    net = small(functools.partial(losses.sum_squared_error))
    assert np.all(np.isfinite(net.train_on_batch(X, Y)))
    with pytest.raises(EdkitError, match="loss of head 'image' is a partial, which has no name"):
        net.save(tmp_path / "m.keras")
    assert not [*tmp_path.iterdir()]


def test_a_metric_without_a_name():
    head = Head("image", losses.sum_squared_error, metrics=(functools.partial(metrics.accuracy),))
    image = keras.Input((4,), name="image")
    with pytest.raises(EdkitError, match="a metric of head 'image' is a partial"):
        Objective(keras.Model({"image": image}, {"image": image}), [head], {"image": 1.0})


def other(target, output):
    """A loss that is none."""


@pytest.mark.parametrize("theirs", [losses.sum_squared_error, keras.losses.mean_squared_error])
def test_what_is_registered_by_the_name_takes_no_place(theirs, monkeypatch):
    config = heads_config((Head("image", theirs),))
    monkeypatch.setitem(keras.saving.get_custom_objects(), theirs.__name__, other)
    assert heads_from(config)[0].loss is theirs
    for given in (other, losses.sum_absolute_error):
        assert heads_from(config, {theirs.__name__: given})[0].loss is given
    with keras.saving.custom_object_scope({theirs.__name__: losses.sum_absolute_error}):
        assert heads_from(config)[0].loss is losses.sum_absolute_error


def test_a_loss_of_another_program_is_not_taken(monkeypatch):
    """Both are `__main__`."""
    config = heads_config((Head("image", other),))
    config[0]["loss"].update(module="__main__", file="/elsewhere/program.py")
    monkeypatch.setattr(other, "__module__", "__main__")
    monkeypatch.setattr("ed_core.nn.saved_heads._of_models", lambda: iter([other]))
    with pytest.raises(EdkitError, match="custom_objects"):
        heads_from(config)
    config[0]["loss"]["file"] = getattr(sys.modules["__main__"], "__file__", None) or ""
    assert heads_from(config)[0].loss is other


PLUGIN = '''
    from keras import Input, Model, layers, ops
    from ed_core import Head, model

    def own_loss(target, output):
        return ops.sum(ops.abs(target - output), axis=(1, 2, 3))

    @model(data="digits", heads=(Head("image", own_loss),))
    def with_own_loss(fields, *, units: int = 2):
        """A model with a loss of its own.

        Args:
            units: of nothing.
        """
        image = Input((32, 32, 1), name="image")
        return Model({"image": image}, {"image": layers.Conv2D(1, 1)(image)})
'''


def test_a_loss_of_a_plugin_file_is_named_with_its_file(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(textwrap.dedent(PLUGIN))
    with MODELS.isolated(), DATASETS.isolated():
        load_plugin_file(str(file))
        own = sys.modules["edkit_plugin_mine"].own_loss
        small(own).save(tmp_path / "m.keras")
        loaded = keras.models.load_model(tmp_path / "m.keras")
        assert loaded.heads[0].loss is own
    with pytest.raises(EdkitError, match=r"'own_loss' of .*load_plugin_file\('.*mine.py'\)"):
        keras.models.load_model(tmp_path / "m.keras")
    given = {"own_loss": losses.sum_absolute_error}
    loaded = keras.models.load_model(tmp_path / "m.keras", custom_objects=given)
    assert loaded.heads[0].loss is losses.sum_absolute_error


@pytest.mark.parametrize(
    ("name", "module"),
    [
        ("system", "os"),
        ("paired", "os"),
        ("Any", "ed_core.losses"),
        ("np", "numpy"),
        ("get", "keras.src.losses"),
    ],
)
def test_a_file_names_no_other_function(name, module):
    config = heads_config(small().heads[:1])
    config[0]["loss"] = {"name": name, "module": module, "file": "", "registered": ""}
    with pytest.raises(EdkitError, match="not known here"):
        heads_from(config)


def test_a_loss_of_keras_is_found():
    head = Head("image", keras.losses.mean_squared_error)
    assert heads_from(heads_config((head,)))[0].loss is keras.losses.mean_squared_error


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
@pytest.mark.parametrize(
    ("y", "said"),
    [
        (None, "heads 'image', 'label' of the model: .*received none: give y="),
        ({"image": X["image"]}, "head 'label' of the model: .*received 'image'"),
        (X["image"], "received ndarray"),
    ],
)
def test_targets_that_are_forgotten(method, y, said):
    with pytest.raises(EdkitError, match=said):
        getattr(small(), method)(X, y)


def test_targets_that_are_forgotten_of_the_validation():
    with pytest.raises(EdkitError, match="head 'label'"):
        small().fit(X, Y, validation_data=(X, {"image": X["image"]}))


def test_a_recording_of_ones_own_model_is_no_run(tmp_path):
    path = tmp_path / "mine"
    recorder = Recorder(path, probes=[Reconstruction("image")], reference={"image": X["image"]})
    net = small()
    fit(net, callbacks=[recorder])
    for use in (open_run, resume, evaluate):
        with pytest.raises(EdkitError, match=r"recorded of a model of your own.*edkit view"):
            use(path)


def test_a_file_of_before_the_modules_moved_loads(tmp_path):
    """Until 0.1 the modules of `ed_core.nn` stood in `ed_core`."""
    net = small()
    net.save(tmp_path / "now.keras")
    with (
        zipfile.ZipFile(tmp_path / "now.keras") as now,
        zipfile.ZipFile(tmp_path / "before.keras", "w") as before,
    ):
        for name in now.namelist():
            data = now.read(name)
            if name == "config.json":
                assert b"ed_core.nn.losses" in data
                assert b"ed_core.nn.metrics" in data
                data = data.replace(b"ed_core.nn.", b"ed_core.")
            before.writestr(name, data)
    loaded = keras.saving.load_model(tmp_path / "before.keras")
    assert [head.loss for head in loaded.heads] == [head.loss for head in net.heads]
    assert [head.metrics for head in loaded.heads] == [head.metrics for head in net.heads]
    for one, other in zip(loaded.weights, net.weights, strict=True):
        np.testing.assert_array_equal(to_numpy(one), to_numpy(other))
