"""What is learned: gradients that begin at 0, losses that are the sum of their heads, shapes."""

import warnings
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import Input, Model, layers, ops

from ed_core import (
    MODELS,
    EdkitError,
    Field,
    Fields,
    Head,
    Objective,
    Reconstruction,
    Recorder,
    losses,
    metrics,
    model,
    train,
)
from ed_core.data.batches import Batches
from ed_core.data.checks import check_shapes
from ed_core.nn.submodels import to_numpy
from ed_core.testing import check_model
from ed_core.training.callbacks import DivergedError

pytestmark = pytest.mark.backend

IMAGE = Field((4, 4, 1))
RANDOM = np.random.default_rng(0)


def twins() -> Model:
    """Two dense layers of one name, in encoder and decoder."""
    image = Input((6,), name="image")
    encoder = Model({"image": image}, {"code": layers.Dense(3, name="same")(image)}, name="encoder")
    code = Input((3,), name="code")
    decoder = Model({"code": code}, {"image": layers.Dense(6, name="same")(code)}, name="decoder")
    return Model({"image": image}, decoder(encoder({"image": image})))


def objective(net: Model, *heads: Head, **weights: float) -> Objective:
    return Objective(net, heads, {head.name: weights.get(head.name, 1.0) for head in heads})


def test_a_step_follows_from_its_batch_alone() -> None:
    """Stochastic gradient descent, two steps: the second must know nothing of the first."""
    net = objective(twins(), Head("image", losses.sum_squared_error))
    net.compile(optimizer=keras.optimizers.SGD(0.01), jit_compile=False)
    batches = RANDOM.random((2, 8, 6), dtype="float32")
    kernels = [to_numpy(weight).astype("f8") for weight in net.trainable_weights]
    for batch in batches:
        net.fit({"image": batch}, {"image": batch}, batch_size=8, verbose=0, shuffle=False)
        first, bias, second, last = kernels
        code = batch @ first + bias
        away = 2 * (code @ second + last - batch) / len(batch)
        back = away @ second.T
        steps = batch.T @ back, back.sum(0), code.T @ away, away.sum(0)
        kernels = [one - 0.01 * step for one, step in zip(kernels, steps, strict=True)]
    for right, weight in zip(kernels, net.trainable_weights, strict=True):
        assert to_numpy(weight) == pytest.approx(right, abs=1e-5), weight.path


@pytest.mark.parametrize("optimizer", ["Adam", "RMSprop", "Adagrad", "Nadam", "Lamb"])
def test_an_embedding_is_moved_by_the_gradient_of_its_class(optimizer: str) -> None:
    """Eight samples of one class: their gradients are summed before an optimizer squares them."""

    def moved(classes: np.ndarray) -> np.ndarray:
        label = Input((), dtype="int32", name="label")
        table = layers.Embedding(3, 2, embeddings_initializer="ones", name="table")
        net = objective(Model({"label": label}, {"x": table(label)}), Head("x", losses.l1))
        net.compile(optimizer=getattr(keras.optimizers, optimizer)(0.1), jit_compile=False)
        net.fit({"label": classes}, {}, batch_size=8, verbose=0)
        return 1 - to_numpy(net.trainable_weights[0])

    dense = moved(np.zeros(8, "int32"))
    one_hot = dense_step(optimizer)
    assert dense[0] == pytest.approx(one_hot, rel=1e-4)
    assert dense[1:] == pytest.approx(0, abs=1e-7)


def dense_step(optimizer: str) -> np.ndarray:
    """Return by how much the same table moves as a dense layer on one-hot rows."""
    rows = Input((3,), name="rows")
    table = layers.Dense(2, use_bias=False, kernel_initializer="ones", name="table")
    net = objective(Model({"rows": rows}, {"x": table(rows)}), Head("x", losses.l1))
    net.compile(optimizer=getattr(keras.optimizers, optimizer)(0.1), jit_compile=False)
    net.fit({"rows": np.eye(3, dtype="float32")[np.zeros(8, int)]}, {}, batch_size=8, verbose=0)
    return 1 - to_numpy(net.trainable_weights[0])[0]


def test_somebody_elses_model_is_warned_of_on_torch(tmp_path: Path) -> None:
    net = twins()
    net.compile("sgd", {"image": "mse"})
    batch = {"image": RANDOM.random((8, 6), dtype="float32")}
    recorder = Recorder(tmp_path / "run", [Reconstruction("image")], batch)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        net.fit(batch, batch, verbose=0, callbacks=[recorder])
    texts = [str(one.message) for one in said if one.category is UserWarning]
    found = [text for text in texts if "does not zero the gradients" in text]
    assert len(found) == (keras.config.backend() == "torch")
    assert all("same/bias" in text and "\n" not in text for text in found)


def two_heads() -> Objective:
    image = Input((4,), name="image")
    x = layers.Dense(3, name="hidden", kernel_regularizer=keras.regularizers.L2(0.1))(image)
    outputs = {
        "value": layers.Dense(1, name="value")(x),
        "label": layers.Dense(3, activation="softmax", name="label")(x),
    }
    heads = (
        Head("value", losses.squared_error),
        Head("label", losses.categorical_crossentropy, metrics=(metrics.accuracy,)),
    )
    return objective(Model({"image": image}, outputs), *heads, value=2.0, label=3.0)


@pytest.mark.parametrize("labelled", [range(10), [0, 1, 60], range(60, 64), range(0, 64, 7), []])
def test_the_loss_is_the_sum_of_the_heads_beside_it(labelled: Any) -> None:
    """Wherever the labels lie, and in batches of any size."""
    net = two_heads()
    net.compile(optimizer="sgd", jit_compile=False)
    image = RANDOM.random((64, 4), dtype="float32")
    value = image.sum(axis=1).astype("float32")
    label = np.full(64, -1)
    label[[*labelled]] = np.arange(len([*labelled])) % 3
    arrays = {"image": image, "value": value, "label": label}
    shown = []
    for size in (7, 16, 64):
        batches = Batches(arrays, ["image"], net.heads, size)
        shown.append(net.evaluate(batches, verbose=0, return_dict=True))
    kernel = to_numpy(net.get_layer("hidden").kernel).astype("f8")
    for row in shown:
        right = 2 * row["value_loss"] + 3 * row["label_loss"] + 0.1 * np.square(kernel).sum()
        assert row["loss"] == pytest.approx(right, rel=1e-5)
        assert row == pytest.approx(shown[0], rel=1e-5)
    outputs = net.predict({"image": image}, verbose=0)
    error = np.square(outputs["value"][:, 0] - value).mean()
    assert shown[0]["value_loss"] == pytest.approx(error, rel=1e-4)
    if len([*labelled]):
        rows = [*labelled]
        entropy = -np.log(outputs["label"][rows, label[rows]]).mean()
        assert shown[0]["label_loss"] == pytest.approx(entropy, rel=1e-4)


def test_the_training_loss_is_at_the_weights_now_in_force() -> None:
    net = two_heads()
    net.compile(optimizer=keras.optimizers.SGD(0.0), jit_compile=False)
    rows: list[dict[str, float]] = []

    class Change(keras.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            rows.append({**logs, "weight": float(to_numpy(self.model.head_weights["value"]))})
            self.model.head_weights["value"].assign(batch + 5.0)

    image = RANDOM.random((64, 4), dtype="float32")
    arrays = {"image": image, "value": image[:, :1], "label": np.arange(64) % 3}
    net.fit(Batches(arrays, ["image"], net.heads, 16), shuffle=False, verbose=0,
            callbacks=[Change()])  # fmt: skip
    penalty = 0.1 * np.square(to_numpy(net.get_layer("hidden").kernel)).sum()
    assert [row["weight"] for row in rows] == [2, 5, 6, 7]
    for row in rows:
        right = row["weight"] * row["value_loss"] + 3 * row["label_loss"] + penalty
        assert row["loss"] == pytest.approx(right, rel=1e-5)


@pytest.mark.parametrize("loss", [
    losses.sum_squared_error, losses.sum_absolute_error, losses.squared_error,
    losses.mean_squared_error, losses.binary_crossentropy, metrics.absolute_error,
])  # fmt: skip
def test_a_column_is_no_row(loss: Any) -> None:
    target, output = RANDOM.random((2, 5), dtype="float32")
    shapes = [(target, output), (target[:, None], output), (target, output[:, None]),
              (target[:, None], output[:, None])]  # fmt: skip
    found = [ops.convert_to_numpy(loss(ops.array(t), ops.array(o))).ravel() for t, o in shapes]
    for one in found:
        assert one == pytest.approx(found[0])
        assert len(one) == 5
    with pytest.raises(EdkitError, match=r"shape \(5,\) cannot .* shape \(4, 1\)"):
        loss(ops.array(target), ops.array(output[:4, None]))


def test_classes_in_a_column() -> None:
    output = ops.array([[0.9, 0.1], [0.2, 0.8], [0.4, 0.6]])
    flat, column = ops.array([0, 1, 0]), ops.array([[0], [1], [0]])
    for function in (losses.categorical_crossentropy, metrics.accuracy):
        one, other = (ops.convert_to_numpy(function(t, output)).ravel() for t in (flat, column))
        assert one == pytest.approx(other)
        assert len(one) == 3


def _broadcasts(target: Any, output: Any) -> Any:
    return ops.square(target - output)


def _refused(target: Any, output: Any) -> Any:
    return ops.mean(ops.matmul(target, output), axis=-1)


@pytest.mark.parametrize(
    ("loss", "target", "output", "fits"),
    [
        (losses.squared_error, (), (1,), True),
        (losses.squared_error, (1,), (), True),
        (losses.squared_error, (), (2,), False),
        (losses.sum_squared_error, (4, 4, 1), (4, 4, 1), True),
        (losses.sum_squared_error, (4, 4, 1), (4, 4), True),
        (losses.sum_squared_error, (4, 4, 1), (4, 5, 1), False),
        (losses.sum_squared_error, (4, 4, 1), (4, 4, 3), False),
        (_broadcasts, (), (1,), False),
        (_broadcasts, (1,), (1,), True),
        (_refused, (3,), (3,), False),
    ],
)
def test_outputs_are_compared_with_targets_before_training(
    loss: Any, target: tuple[int, ...], output: tuple[int, ...], fits: bool
) -> None:
    given = Input((2,), name="image")
    size = int(np.prod(output))
    net = Model({"image": given}, {"x": layers.Reshape(output)(layers.Dense(size)(given))})
    fields = Fields(image=Field((2,), "value"), y=Field(target, "value"))
    heads = (Head("x", loss, target="y"),)
    if fits:
        check_shapes(net, heads, fields)
        return
    with pytest.raises(EdkitError) as said:
        check_shapes(net, heads, fields)
    assert str(target) in str(said.value)
    assert str(output) in str(said.value)


def test_a_large_output_is_tried_on_a_few_samples() -> None:
    given = Input((30_000, 1), name="signal")
    net = Model({"signal": given}, {"signal": given * 1.0})
    fields = Fields(signal=Field((30_000, 1), "signal"))
    seen: list[int] = []

    def loss(target: Any, output: Any) -> Any:
        seen.append(int(target.shape[0]))
        return losses.sum_squared_error(target, output)

    check_shapes(net, (Head("signal", loss),), fields)
    assert seen == [2]


def test_a_loss_may_need_the_mask() -> None:
    def loss(target: Any, output: Any, mask: Any) -> Any:
        return losses.squared_error(target, output)

    given = Input((2,), name="image")
    net = Model({"image": given}, {"y": layers.Dense(1)(given)})
    fields = Fields(image=Field((2,), "value"), y=Field((), "value"))
    check_shapes(net, (Head("y", loss),), fields)


def test_contrastive_classes_in_a_column() -> None:
    points = ops.array(RANDOM.random((6, 2), dtype="float32"))
    label = ops.array([0, 1, 0, 1, 2, 2])
    one, other = (losses.contrastive(each, points) for each in (label, label[:, None]))
    assert ops.convert_to_numpy(one) == pytest.approx(ops.convert_to_numpy(other))


def test_check_model_finds_a_head_that_broadcasts() -> None:
    def broadcasts(fields: Fields, *, units: int = 2) -> Model:
        """Return a model whose number is a column.

        Args:
            fields: of the data set.
            units: of the hidden layer.
        """
        image = Input(fields["image"].shape, name="image")
        x = layers.Dense(units)(layers.Flatten()(image))
        return Model({"image": image}, {"angle": layers.Dense(1)(x)})

    with MODELS.isolated():
        model(data="rotated_digits", heads=(Head("angle", _broadcasts),), probes=())(broadcasts)
        fields = Fields(image=IMAGE, angle=Field((), "value"))
        with pytest.raises(EdkitError, match="bring both to one shape"):
            check_model("broadcasts", fields)


def test_two_numbers_of_one_name_are_refused() -> None:
    image = Input((4,), name="image")
    net = Model({"image": image}, {"a": layers.Dense(1)(image), "a_loss": layers.Dense(1)(image)})

    def loss(target: Any, output: Any) -> Any:
        return losses.squared_error(target, output)

    heads = (Head("a", losses.squared_error, metrics=(loss,)),)
    with pytest.raises(EdkitError, match="'a_loss'"):
        objective(net, *heads)


@pytest.mark.parametrize("name", ["vae", "autoencoder_classifier", "dense_autoencoder"])
def test_a_training_that_diverges_says_so_in_one_line(name: str, tmp_path: Path) -> None:
    with pytest.raises(DivergedError, match="the loss is nan after step") as said:
        train(name, "digits", epochs=2, learning_rate=1e30, out=tmp_path, record=False)
    assert said.value.status == 3


@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("loss", [losses.binary_crossentropy, losses.sum_squared_error])
def test_outputs_that_are_not_finite_make_the_loss_nan(bad: float, loss: Any) -> None:
    image = Input((4,), name="image")
    net = objective(Model({"image": image}, {"x": image}), Head("x", loss, target="y"))
    net.compile(optimizer="sgd", jit_compile=False)
    rows = np.full((8, 4), 0.5, "float32")
    rows[3, 2] = bad
    shown = net.evaluate({"image": rows}, {"x": np.ones((8, 4), "float32")}, verbose=0,
                         return_dict=True)  # fmt: skip
    assert np.isnan(shown["loss"])
