"""Noise and frozen networks: each head of an adversarial pair moves its own network alone."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers, ops

from ed_core import ConstantWeights, Head, Noise, Objective, losses
from ed_core.engine import tuning
from ed_core.nn.optimizers import SubmodelAdam
from ed_core.nn.submodels import to_numpy
from ed_core.runs.checkpoints import Position, restore_checkpoint, save_checkpoint
from ed_core.testing import check_layer

pytestmark = pytest.mark.backend

DATA = np.random.default_rng(0).normal(size=(16, 2)).astype("float32")
HEADS = (
    Head("real_score", losses.score_as_real, name="real"),
    Head("fake_score", losses.score_as_fake, name="fake"),
    Head("generator_score", losses.score_as_real, name="generator"),
)
PARTS = ("decoder", "discriminator")


def pair(norm: bool = True) -> keras.Model:
    keras.utils.set_random_seed(0)
    code = keras.Input((3,), name="code")
    decoder = keras.Model({"code": code}, {"x": layers.Dense(2)(code)}, name="decoder")
    x = keras.Input((2,), name="x")
    hidden = layers.Dense(8, activation="tanh")(x)
    hidden = layers.BatchNormalization()(hidden) if norm else hidden
    judge = keras.Model({"x": x}, {"score": layers.Dense(1)(hidden)}, name="discriminator")
    fake = decoder({"code": Noise(3)(x)})
    stopped = {"x": ops.stop_gradient(fake["x"])}
    outputs = {
        **fake,
        "real_score": judge({"x": x})["score"],
        "fake_score": judge(stopped)["score"],
        "generator_score": ConstantWeights(judge, name="frozen")(fake)["score"],
    }
    return keras.Model({"x": x}, outputs)


def compiled(net: Any, optimizer: Any = None, **weights: float) -> Objective:
    objective = Objective(net, HEADS, {head.name: weights.get(head.name, 1.0) for head in HEADS})
    objective.compile(optimizer or keras.optimizers.SGD(0.1), jit_compile=tuning.jit_compile())
    return objective


def values(net: Any, part: str) -> list[np.ndarray]:
    return [np.array(v) for v in net.get_layer(part).trainable_variables]


def fit(objective: Objective, epochs: int = 1) -> None:
    objective.fit({"x": DATA}, {}, batch_size=8, epochs=epochs, verbose=0, shuffle=False)


@pytest.mark.parametrize(
    ("head", "moved"),
    [("real", "discriminator"), ("fake", "discriminator"), ("generator", "decoder")],
)
def test_a_head_moves_its_own_network_alone(head: str, moved: str) -> None:
    weights = {other.name: float(other.name == head) for other in HEADS}
    objective = compiled(pair(), **weights)
    before = {part: values(objective, part) for part in PARTS}
    fit(objective)
    for part in PARTS:
        same = [
            np.array_equal(old, new)
            for old, new in zip(before[part], values(objective, part), strict=True)
        ]
        assert all(same) if part != moved else not any(same), (part, same)


def test_the_pair_is_one_model_whose_weights_count_once() -> None:
    objective = compiled(pair())
    parts = [v for part in PARTS for v in objective.get_layer(part).weights]
    assert {id(v) for v in objective.layer_weights} == {id(v) for v in parts}
    assert len(objective.layer_weights) == len(parts)
    assert len(objective.trainable_variables) == len({id(v) for v in objective.trainable_variables})


def test_frozen_gives_what_the_network_gives() -> None:
    net = pair()
    judge = net.get_layer("discriminator")
    for training in (False, True):
        frozen = net.get_layer("frozen")({"x": DATA}, training=training)["score"]
        state = [np.array(v) for v in judge.non_trainable_variables]
        direct = judge({"x": DATA}, training=training)["score"]
        np.testing.assert_allclose(
            ops.convert_to_numpy(frozen), ops.convert_to_numpy(direct), rtol=1e-5
        )
    assert not np.array_equal(state[0], np.array(judge.non_trainable_variables[0]))


def test_frozen_leaves_the_averages_of_the_network() -> None:
    net = pair()
    state = net.get_layer("discriminator").non_trainable_variables
    before = [np.array(v) for v in state]
    net.get_layer("frozen")({"x": DATA}, training=True)
    for old, new in zip(before, state, strict=True):
        np.testing.assert_array_equal(old, np.array(new))


def dropped(rate: float = 0.5) -> keras.Model:
    """A pair whose scores are sums of what dropout leaves."""
    image = keras.Input((64,), name="image")
    left = layers.Dropout(rate, seed=3)(image)
    judge = keras.Model({"image": image}, {"score": ops.sum(left, -1)}, name="discriminator")
    outputs = {
        "real_score": judge({"image": image})["score"],
        "fake_score": judge({"image": ops.stop_gradient(image)})["score"],
        "generator_score": ConstantWeights(judge, name="frozen")({"image": image})["score"],
    }
    return keras.Model({"image": image}, outputs)


def test_dropout_is_drawn_for_each_score_of_a_step() -> None:
    net = dropped()
    ones = {"image": np.ones((32, 64), "float32")}
    steps = [
        {k: ops.convert_to_numpy(v) for k, v in net(ones, training=True).items()} for _ in "12"
    ]
    draws = [step[name] for step in steps for name in steps[0]]
    for number, draw in enumerate(draws):
        assert 48 < draw.mean() < 80, "half of the pixels, counted twice"
        for other in draws[:number]:
            assert np.mean(draw != other) > 0.7
    still = {k: ops.convert_to_numpy(v) for k, v in net(ones).items()}
    assert all((score == 64).all() for score in still.values())


def test_what_the_frozen_network_draws_follows_from_its_generator() -> None:
    """So a run that goes on draws what it would have drawn, and no variable is added for it."""
    net, ones = dropped(), {"image": np.ones((32, 64), "float32")}
    (state,) = [v for v in net.variables if v.path.endswith("seed_generator_state")]
    before, frozen = to_numpy(state), net.get_layer("frozen")
    first = ops.convert_to_numpy(frozen(ones, training=True)["score"])
    np.testing.assert_array_equal(to_numpy(state), before)
    again = ops.convert_to_numpy(frozen(ones, training=True)["score"])
    np.testing.assert_array_equal(first, again)
    state.assign(before + np.array([0, 1], before.dtype))
    assert (ops.convert_to_numpy(frozen(ones, training=True)["score"]) != first).any()


def test_a_saved_pair_still_has_one_discriminator(tmp_path: Path) -> None:
    net = pair()
    net.save(tmp_path / "pair.keras")
    again = keras.saving.load_model(tmp_path / "pair.keras")
    first, second = (model.predict({"x": DATA}, verbose=0) for model in (net, again))
    for name, array in first.items():
        np.testing.assert_allclose(array, second[name], rtol=1e-5, err_msg=name)
    weight = again.get_layer("discriminator").trainable_variables[0]
    weight.assign(weight + 1.0)
    moved = again.predict({"x": DATA}, verbose=0)
    np.testing.assert_allclose(moved["generator_score"], moved["fake_score"], rtol=1e-5)
    assert not np.allclose(moved["generator_score"], second["generator_score"])


def test_noise_is_drawn_anew_while_training_only() -> None:
    noise = Noise(3, seed=1)
    check_layer(noise, DATA)
    drawn = [ops.convert_to_numpy(noise(DATA, training=True)) for _ in range(2)]
    fixed = [ops.convert_to_numpy(noise(DATA)) for _ in range(2)]
    assert np.abs(drawn[0] - drawn[1]).min() > 0
    np.testing.assert_array_equal(fixed[0], fixed[1])
    assert np.ptp(fixed[0], axis=0).min() > 0, "every sample of a batch has a code of its own"
    many = ops.convert_to_numpy(noise(np.zeros((20_000, 1)), training=True))
    assert many.mean() == pytest.approx(0, abs=0.02)
    assert many.std() == pytest.approx(1, abs=0.02)


def test_the_pair_learns_where_the_data_lie() -> None:
    """From a mean of 0 to one of (2, -1), without a step of its own."""
    rng = np.random.default_rng(1)
    data = rng.normal((2.0, -1.0), 0.5, (512, 2)).astype("float32")
    # Not normalised: of a batch of reals and one of fakes, each less its mean, none can be told.
    objective = compiled(pair(norm=False), keras.optimizers.Adam(0.02, beta_1=0.5))
    objective.fit({"x": data}, {}, batch_size=64, epochs=30, verbose=0)
    fakes = objective.predict({"x": data}, batch_size=512, verbose=0)["x"]
    np.testing.assert_allclose(fakes.mean(axis=0), (2.0, -1.0), atol=0.4)


def test_two_rates_move_two_networks() -> None:
    """Adam's first step is the learning rate times the sign of the gradient."""
    net = pair()
    objective = Objective(net, HEADS, {head.name: 1.0 for head in HEADS})
    rates = {"decoder": 0.5, "discriminator": 2.0}
    objective.compile(
        SubmodelAdam(0.01, objective, rates, epsilon=1e-12), jit_compile=tuning.jit_compile()
    )
    before = {part: values(objective, part) for part in PARTS}
    objective.fit({"x": DATA}, {}, batch_size=16, epochs=1, verbose=0)
    assert int(np.array(objective.optimizer.iterations)) == 1
    assert float(np.array(objective.optimizer.learning_rate)) == pytest.approx(0.01)
    for part, rate in rates.items():
        steps = [
            np.abs(new - old)
            for old, new in zip(before[part], values(objective, part), strict=True)
        ]
        largest = max(float(step.max()) for step in steps)
        assert largest == pytest.approx(0.01 * rate, rel=1e-2), part


def test_a_submodel_stays_as_it_is_from_a_step_on() -> None:
    objective = Objective(pair(), HEADS, {head.name: 1.0 for head in HEADS})
    optimizer = SubmodelAdam(0.01, objective, until={"decoder": 3})
    objective.compile(optimizer, jit_compile=tuning.jit_compile())
    seen = [{part: values(objective, part) for part in PARTS}]
    for _ in range(5):
        objective.fit({"x": DATA}, {}, batch_size=16, verbose=0)
        seen.append({part: values(objective, part) for part in PARTS})
    for step, (old, new) in enumerate(pairwise(seen)):
        same = {
            part: [a.tobytes() == b.tobytes() for a, b in zip(old[part], new[part], strict=True)]
            for part in PARTS
        }
        assert not any(same["discriminator"]), step
        assert all(same["decoder"]) if step >= 3 else not any(same["decoder"]), step


def test_rates_follow_a_schedule_and_survive_a_checkpoint(tmp_path: Path) -> None:
    def trained(optimizer_rate: Any) -> Objective:
        objective = Objective(pair(), HEADS, {head.name: 1.0 for head in HEADS})
        optimizer = SubmodelAdam(optimizer_rate, objective, {"decoder": 0.5}, beta_1=0.5)
        objective.compile(optimizer, jit_compile=tuning.jit_compile())
        optimizer.build(objective.trainable_variables)
        return objective

    schedule = keras.optimizers.schedules.CosineDecay(0.05, 8)
    halves, resumed = trained(schedule), trained(schedule)
    fit(halves, epochs=2)
    assert float(np.array(halves.optimizer.learning_rate)) == pytest.approx(0.025)
    save_checkpoint(tmp_path, halves, Position(4, 2, 0))
    restore_checkpoint(tmp_path, resumed)
    # What goes on from here is not compared: TensorFlow may add the gradients of two graphs in
    # another order, and Adam makes steps of the smallest difference.
    ours, theirs = halves.optimizer.variables, resumed.optimizer.variables
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(np.array(one), np.array(other), err_msg=one.path)
    assert any(np.array(one).size > 1 and np.array(one).any() for one in ours)
    before = [np.array(one) for one in resumed.trainable_variables]
    for one, other in zip(halves.trainable_variables, before, strict=True):
        np.testing.assert_array_equal(np.array(one), other, err_msg=one.path)
    fit(resumed, epochs=2)
    after = [np.array(one) for one in resumed.trainable_variables]
    assert any((one != other).any() for one, other in zip(before, after, strict=True))
    assert float(np.array(resumed.optimizer.learning_rate)) == pytest.approx(0.0, abs=1e-7)
