"""Objective: a functional model whose loss is a sum of weighted heads."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from ed_core.engine import gradients, randomness
from ed_core.errors import EdkitError
from ed_core.nn.curves import StepLosses
from ed_core.nn.layers import share_networks, shared_networks
from ed_core.nn.losses import all_present, broadcast_like, masked
from ed_core.nn.named_model import NamedModel, no_target
from ed_core.nn.optimizers import SubmodelAdam
from ed_core.nn.saved_heads import heads_config, heads_from, nameless
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.spec import PRESENT, Head

Tensor = Any

_GENERATOR = "random_state_"


@keras.saving.register_keras_serializable("ed_core")
class Objective(NamedModel):
    """The graph of `net`, trained by plain `fit` on the sum over its heads of weight times loss.

    Targets and sample weights (masks) come as dicts keyed by head. The weights are non-trainable
    variables, so they can be changed while it trains. Every head logs its unweighted loss as
    `<head>_loss` and its metrics as `<head>_<metric>`.

    Args:
        net: a functional model with dict inputs and outputs.
        heads: the terms of the objective; an optional one counts where the model has its output.
        weights: the initial weight of each head, by name.
        name: of the model.

    Raises:
        EdkitError: a head looks at an output that the model does not have, or two numbers would be
            logged by one name.
    """

    def __init__(
        self,
        net: Any,
        heads: Sequence[Head],
        weights: Mapping[str, float],
        name: str | None = None,
    ) -> None:
        if not isinstance(net.output, dict):
            raise EdkitError("a model's outputs must be named: return keras.Model(dict, dict).")
        for head in heads:
            if head.output not in net.output and not head.optional:
                raise EdkitError(
                    f"head {head.name!r} looks at output {head.output!r}, but the model has only: "
                    f"{', '.join(sorted(net.output))}."
                )
        _check_log_names(heads)
        heads = [head for head in heads if head.output in net.output]
        super().__init__(inputs=net.input, outputs=net.output, name=name)
        self.heads = tuple(heads)
        self.head_weights = {
            head.name: self.add_weight(
                shape=(),
                initializer=keras.initializers.Constant(weights[head.name]),
                trainable=False,
                name=f"{head.name}_weight",
            )
            for head in heads
        }
        self.trackers = {
            name: keras.metrics.Mean(name=name) for head in heads for name in log_names(head)
        }
        losses_of_heads = [self.trackers[f"{head.name}_loss"] for head in heads]
        self.total = _Total(losses_of_heads)
        self.step_losses = StepLosses(["loss", *self.trackers])

    @property
    def layer_weights(self) -> list[Any]:
        """The weights of the layers, in order: what a trained model is, without the objective."""
        return [variable for layer in self.layers for variable in layer.weights]

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Let all gradients begin at 0; Keras calls it before each step on PyTorch."""
        gradients.clear_gradients(self.trainable_variables)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Configure the model as Keras does; gradients reach the optimizer one number a weight.

        Args:
            args: what Keras takes, the optimizer first.
            kwargs: the same, by name.
        """
        super().compile(*args, **kwargs)
        # Mixed precision wraps the optimizer in one that scales the loss.
        optimizer = getattr(self.optimizer, "inner_optimizer", self.optimizer)
        if isinstance(optimizer, SubmodelAdam):
            optimizer.bind(self)
        if self.optimizer is not None:
            gradients.make_gradients_dense(self.optimizer)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save as Keras does; raises EdkitError, before a file is begun, where a loss has no name.

        Args:
            args: what Keras takes, the file first.
            kwargs: the same, by name.
        """
        heads_config(self.heads)
        super().save(*args, **kwargs)

    def get_compile_config(self) -> Any:
        """Return what `compile_from_config` takes; the optimizer has its state from here on.

        A loaded model gives its optimizer one, which the saved one must fill.
        """
        optimizer = getattr(self, "optimizer", None)  # an opened run was never compiled
        if optimizer is not None and not optimizer.built:
            optimizer.build(self.trainable_variables)
        return super().get_compile_config()

    def compile_from_config(self, config: Mapping[str, Any]) -> None:
        """Configure a model that was loaded as the saved one was."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if self.optimizer is not None:
            self.optimizer.build(self.trainable_variables)

    def get_config(self) -> dict[str, Any]:
        """Return what `from_config` makes the model from: its graph, and its heads by name."""
        net = keras.Model(self.input, self.output, name=self.name)
        weights = {name: float(to_numpy(now)) for name, now in self.head_weights.items()}
        return {
            "name": self.name,
            "net": keras.saving.serialize_keras_object(net),
            "heads": heads_config(self.heads),
            "weights": weights,
            "shared": shared_networks(net),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> "Objective":
        """Return the model of a configuration; raises EdkitError where a head's loss is not here.

        Args:
            config: what `get_config` returned.
            custom_objects: name to class or function, as Keras takes them.
        """
        net = keras.saving.deserialize_keras_object(config["net"], custom_objects)
        heads = heads_from(config["heads"], custom_objects)
        share_networks(net, config["shared"])
        return cls(net, heads, config["weights"], config["name"])

    def save_own_variables(self, store: Any) -> None:
        """Write what is the objective's own, and the state of every generator, which Keras omits.

        Args:
            store: text to array, of a file.
        """
        super().save_own_variables(store)
        for number, state in enumerate(randomness.seed_generators(self)):
            store[f"{_GENERATOR}{number}"] = to_numpy(state)

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        names = [*store.keys()]  # Keras' own mapping has no iterator
        states = {name for name in names if name.startswith(_GENERATOR)}
        super().load_own_variables({name: store[name] for name in names if name not in states})
        for number, state in enumerate(randomness.seed_generators(self)):
            if f"{_GENERATOR}{number}" in states:
                state.assign(store[f"{_GENERATOR}{number}"])

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Tensor:
        """Return the sum of weighted heads, a scalar, and log each term.

        Where an output is not finite, the loss is NaN on every backend; PyTorch's cross entropy
        would refuse to compute it.
        """
        total, terms = 0.0, []
        for head in self.heads:
            mask = (sample_weight or {}).get(head.name)
            target = (y or {}).get(head.name)
            loss, logged = self._term(head, target, y_pred[head.output], mask)
            terms += logged
            total = total + self.head_weights[head.name] * loss
        penalty = sum(self.losses, 0.0)  # regularisers; ops.sum fails on jax
        samples = _samples(y_pred[self.heads[0].output]) if self.heads else 1.0
        self.total.update_state([*self.head_weights.values()], penalty, samples)
        if training:
            self.step_losses.update_state([total + penalty, *terms])
        return total + penalty

    def _term(
        self, head: Head, target: Tensor, output: Tensor, mask: Tensor
    ) -> tuple[Tensor, list[Tensor]]:
        """Return a head's loss, and what it logs of this batch: NaN where nothing had a target."""
        if keras.backend.standardize_dtype(output.dtype) in ("float16", "bfloat16"):
            output = ops.cast(output, "float32")  # sums over a signal need its digits
        good = ops.isfinite(output)
        output = ops.where(good, output, ops.zeros_like(output))
        if not head.needs_target:
            values, extra = head.loss(output), []
        else:
            if target is None:
                raise EdkitError(no_target([head.name], "none"))
            target = ops.convert_to_tensor(target)
            if mask is not None:  # an unlabelled target may hold anything, NaN and -1 included
                instead = ops.zeros_like(target)
                if head.mask.endswith(PRESENT):  # no error there: the rest of the signal counts
                    instead = ops.stop_gradient(output)
                target = ops.where(broadcast_like(mask, target) > 0, target, instead)
                mask = _of_samples(mask) if head.mask.endswith(PRESENT) else mask
            mask_argument = {"mask": mask} if head.needs_mask else {}
            values = head.loss(target, output, **mask_argument)
            extra = [metric(target, output) for metric in head.metrics]
        logged = []
        for name, term in zip(log_names(head)[1:], extra, strict=True):
            there = None if mask is None else ops.cast(_on(mask, term) > 0, "float32")  # unweighted
            seen = _samples(output) if there is None else ops.sum(there)
            self.trackers[name].update_state(masked(term, there), sample_weight=seen)
            logged.append(ops.where(seen > 0, masked(term, there), np.nan))
        mask = None if mask is None else _on(mask, values)
        loss = ops.where(ops.all(good), masked(values, mask, head.over), np.nan)
        labelled = mask is not None and head.over == "labelled"
        count = ops.sum(mask) if labelled else _samples(output)
        self.trackers[f"{head.name}_loss"].update_state(loss, sample_weight=count)
        return loss, [ops.where(count > 0, loss, np.nan), *logged]


class _Total(keras.metrics.Metric):
    """The sum of the heads' losses as they are logged, at the weights now in force, as `loss`.

    Not the mean of the batches' sums: in that a batch without a label counts as 0, and a few labels
    as much as many. The regularisers' mean is added. It takes the place of Keras' own `loss`.

    Args:
        losses: the mean of each head's loss.
    """

    def __init__(self, losses: Sequence[Any]) -> None:
        super().__init__(name="loss")
        self._means = lambda: losses  # of the model; Keras would track, and reset, them twice
        shape = (len(losses),)
        self.weights_now = self.add_variable(shape, "zeros", name="weights")
        self.penalty = self.add_variable((), "zeros", name="penalty")
        self.samples = self.add_variable((), "zeros", name="samples")

    def update_state(self, weights: Sequence[Any], penalty: Tensor, samples: Tensor) -> None:
        """Note the weights of the heads, and what the regularisers add for a batch."""
        if weights:
            self.weights_now.assign(ops.stack([1.0 * weight for weight in weights]))
        self.penalty.assign(self.penalty + ops.cast(penalty, "float32") * samples)
        self.samples.assign(self.samples + samples)

    def result(self) -> Tensor:
        """Return the sum, a scalar."""
        total = self.penalty / ops.maximum(self.samples, 1.0)
        for number, mean in enumerate(self._means()):
            total = total + self.weights_now[number] * mean.result()
        return total


def _of_samples(mask: Tensor) -> Tensor:
    """Return (batch,), 1 where a part of a sample's target is there at least."""
    return ops.max(mask, axis=tuple(range(1, len(mask.shape)))) if len(mask.shape) > 1 else mask


def _on(mask: Tensor, values: Tensor) -> Tensor:
    """Return the weight of every value, in the shape and the type of the values."""
    return broadcast_like(ops.cast(all_present(mask, values), values.dtype), values)


def _samples(output: Tensor) -> Tensor:
    """Return how many samples a batch has: the last one has fewer, and counts for less."""
    return ops.cast(ops.shape(output)[0], "float32")


def log_names(head: Head) -> list[str]:
    """Return the names under which a head logs: its loss first, then its metrics."""
    return [f"{head.name}_loss", *(f"{head.name}_{metric.__name__}" for metric in head.metrics)]


def _check_log_names(heads: Sequence[Head]) -> None:
    """Raise EdkitError where one name would stand for two numbers: Keras keeps the last alone.

    And where a metric has none.
    """
    for head in heads:
        for metric in head.metrics:
            if not hasattr(metric, "__name__"):
                raise EdkitError(nameless(metric, f"a metric of head {head.name!r}"))
    names = ["loss", "learning_rate", *(name for head in heads for name in log_names(head))]
    names += [f"{head.name}_weight" for head in heads]
    for name in names:
        if names.count(name) > 1:
            raise EdkitError(
                f"two numbers would be logged as {name!r}: give a head, or the function of a "
                "metric, another name."
            )
