"""The objective: the sum over its heads of weight times loss, for any functional model."""

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from ed_core import EdkitError, Head, Objective, losses, metrics
from ed_core.evaluation import predict
from ed_core.nn.objective import log_names

pytestmark = pytest.mark.backend

RNG = np.random.default_rng(0)
X = RNG.uniform(size=(12, 5)).astype("float32")
LABEL = RNG.integers(0, 3, 12).astype("int32")
MASK = (np.arange(12) < 5).astype("float32")


def net() -> keras.Model:
    x = keras.Input((5,), name="x")
    code = layers.Dense(3, name="code", kernel_regularizer="l2")(x)
    outputs = {
        "x": layers.Dense(5, name="back")(code),
        "code": code,
        "label": layers.Dense(3, activation="softmax", name="label")(code),
    }
    return keras.Model({"x": x}, outputs)


def compiled(heads: tuple[Head, ...], weights: dict[str, float], rate: float = 0.0) -> Objective:
    keras.utils.set_random_seed(0)
    objective = Objective(net(), heads, weights)
    objective.compile(optimizer=keras.optimizers.SGD(rate))
    return objective


def evaluated(objective: Objective, size: int = 12, mask: np.ndarray = MASK) -> dict[str, float]:
    targets, ones = {"x": X, "label": LABEL}, np.ones(12, "float32")
    return objective.evaluate(
        {"x": X},
        {name: targets[name] for name in targets if name in objective.head_weights},
        sample_weight={
            name: weight
            for name, weight in {"x": ones, "label": mask}.items()
            if name in objective.head_weights
        },
        batch_size=size,
        return_dict=True,
        verbose=0,
    )


HEADS = (
    Head("x", losses.sum_squared_error),
    Head("code", losses.l1, name="sparsity"),
    Head("label", losses.categorical_crossentropy, mask="m", metrics=(metrics.accuracy,)),
)
WEIGHTS = {"x": 1.0, "sparsity": 0.2, "label": 3.0}


@pytest.mark.parametrize("size", [12, 4])
def test_sum_of_weighted_heads_and_penalties(size: int) -> None:
    objective = compiled(HEADS, WEIGHTS)
    logs = evaluated(objective, size)
    out = objective.predict({"x": X}, verbose=0)
    seen = MASK > 0
    expected = {
        "x_loss": np.square(X - out["x"]).sum(-1).mean(),
        "sparsity_loss": np.abs(out["code"]).sum(-1).mean(),
        "label_loss": -np.log(out["label"][seen, LABEL[seen]]).mean(),
        "label_accuracy": (out["label"].argmax(-1) == LABEL)[seen].mean(),
    }
    for name, value in expected.items():
        assert logs[name] == pytest.approx(value, rel=1e-5), name
    kernel = np.array(objective.get_layer("code").kernel)
    total = expected["x_loss"] + 0.2 * expected["sparsity_loss"] + 3 * expected["label_loss"]
    if size == 12:  # in smaller batches the total is a mean of means
        assert logs["loss"] == pytest.approx(total + 0.01 * np.square(kernel).sum(), rel=1e-5)


@pytest.mark.parametrize("over", ["labelled", "batch"])
def test_metric_of_a_masked_head_counts_the_labelled_alone(over: Any) -> None:
    """Also where whole batches have no label."""
    head = Head(
        "label",
        losses.categorical_crossentropy,
        mask="m",
        metrics=(metrics.accuracy,),
        over=over,
    )
    objective = compiled((head,), {"label": 1.0})
    logs = evaluated(objective, 4)
    out = objective.predict({"x": X}, verbose=0)["label"]
    seen = MASK > 0
    assert logs["label_accuracy"] == pytest.approx((out.argmax(-1) == LABEL)[seen].mean())


def test_weights_are_variables() -> None:
    objective = compiled(HEADS, WEIGHTS)
    before = evaluated(objective)
    objective.head_weights["label"].assign(30.0)
    after = evaluated(objective)
    assert after["label_loss"] == pytest.approx(before["label_loss"])
    assert after["loss"] - before["loss"] == pytest.approx(27 * before["label_loss"], rel=1e-4)
    names = {v.path for v in objective.trainable_variables}
    assert not any("weight" in name for name in names)
    assert len(objective.layer_weights) == 6


def test_masked_head_alone_leaves_the_weights_when_nothing_is_labelled() -> None:
    objective = compiled(HEADS, {"x": 0.0, "sparsity": 0.0, "label": 1.0}, rate=0.5)
    ones = np.ones(12, "float32")
    before = [np.array(v) for v in objective.get_layer("label").weights]
    objective.train_on_batch(
        {"x": X}, {"x": X, "label": np.full(12, -1, "int32")}, {"x": ones, "label": 0 * ones}
    )
    for old, new in zip(before, objective.get_layer("label").weights, strict=True):
        np.testing.assert_array_equal(old, np.array(new))
    objective.train_on_batch({"x": X}, {"x": X, "label": LABEL}, {"x": ones, "label": MASK})
    assert not np.array_equal(before[0], np.array(objective.get_layer("label").weights[0]))


def test_names_that_heads_log() -> None:
    assert [log_names(head) for head in HEADS] == [
        ["x_loss"],
        ["sparsity_loss"],
        ["label_loss", "label_accuracy"],
    ]


def test_head_on_no_output() -> None:
    with pytest.raises(EdkitError, match="looks at output 'y', but the model has only: code, lab"):
        Objective(net(), (Head("y", losses.l1),), {"y": 1.0})


def test_an_optional_head_counts_where_its_output_is() -> None:
    heads = (*HEADS, Head("y", losses.l1, optional=True), Head("code", losses.l1, optional=True))
    objective = compiled(heads, {head.name: 1.0 for head in heads})
    names = ["x", "sparsity", "label", "code"]
    assert [head.name for head in objective.heads] == [*objective.head_weights] == names
    assert "y_loss" not in evaluated(objective)


def test_model_without_names() -> None:
    x = keras.Input((5,))
    with pytest.raises(EdkitError, match="outputs must be named"):
        Objective(keras.Model(x, layers.Dense(2)(x)), (), {})


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"over": "labeled"}, "over is 'labeled', not labelled or batch"),
        ({"target": "x", "loss": losses.l1}, "a loss of the output alone has no target"),
        ({"metrics": (metrics.accuracy,), "loss": losses.l1}, "output alone has no target"),
        ({"until": 0.0}, "until is 0.0, not above 0 and at most 1"),
        ({"until": 1.5}, "until is 1.5, not above 0 and at most 1"),
    ],
)
def test_wrong_head(arguments: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Head("code", **{"loss": losses.sum_squared_error, **arguments})


def test_head_fills_in_its_names() -> None:
    head = Head("image", losses.sum_squared_error)
    assert (head.name, head.target, head.needs_target) == ("image", "image", True)
    penalty = Head("code", losses.l1, name="sparsity")
    assert (penalty.name, penalty.target, penalty.needs_target) == ("sparsity", "", False)


@pytest.mark.parametrize("way", [lambda model, x: model.predict(x, verbose=0), predict])
def test_a_missing_input_is_named_at_prediction(way: Any) -> None:
    x, height = keras.Input((5,), name="x"), keras.Input((5,), name="height")
    pair = keras.Model({"x": x, "height": height}, {"x": layers.Add()([x, height])}, name="pair")
    model = Objective(pair, [Head("x", losses.sum_squared_error)], {"x": 1.0})
    text = "needs input 'height', got 'x': give it 'x' and 'height'."
    with pytest.raises(EdkitError, match=text):
        way(model, {"x": X})
    assert way(model, {"x": X, "height": X, "label": X})["x"] == pytest.approx(2 * X)


def test_a_small_last_batch_counts_for_its_samples_alone() -> None:
    objective = compiled(HEADS[:2], {"x": 1.0, "sparsity": 0.2})
    whole, parts = evaluated(objective, 12), evaluated(objective, 11)
    for name in ("x_loss", "sparsity_loss"):
        assert parts[name] == pytest.approx(whole[name], rel=1e-5)


def test_a_loss_of_every_pixel_and_a_metric_of_every_sample_go_together() -> None:
    image = keras.Input((4, 4, 1), name="image")
    model = keras.Model({"image": image}, {"height": layers.Conv2D(1, 1, name="height")(image)})
    head = Head("height", losses.squared_error, metrics=(metrics.absolute_error,))
    objective = Objective(model, (head,), {"height": 1.0})
    objective.compile(optimizer="sgd")
    images = RNG.uniform(size=(6, 4, 4, 1)).astype("float32")
    truth = RNG.uniform(size=(6, 4, 4, 1)).astype("float32")
    there = np.ones((6, 4, 4, 1), "float32")
    there[2] = 0.0
    logs = objective.evaluate(
        {"image": images}, {"height": truth}, sample_weight={"height": there}, return_dict=True,
        verbose=0,
    )  # fmt: skip
    error = objective.predict({"image": images}, verbose=0)["height"] - truth
    error = error[there[:, 0, 0, 0] > 0]
    assert logs["height_absolute_error"] == pytest.approx(np.abs(error).mean(), rel=1e-5)
    assert logs["height_loss"] == pytest.approx(np.square(error).mean(), rel=1e-5)
