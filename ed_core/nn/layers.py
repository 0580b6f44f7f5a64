"""Layers: sampling, noise, frozen, shared and constant networks, normalisation, mirror images."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
from keras import layers, ops

from ed_core.engine import moments
from ed_core.nn.submodels import layer_at, submodel, to_numpy

Tensor = Any


@keras.saving.register_keras_serializable("ed_core")
class Sampling(layers.Layer):
    """Draws z = mean + exp(log_var / 2) * epsilon while training, and returns the mean otherwise.

    Input (mean, log_var), each (batch, latent); output (batch, latent). epsilon is N(0, 1), from
    a generator of the layer's own. Kingma & Welling, 2014, section 2.4.

    Args:
        seed: of the generator.
    """

    def __init__(self, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: tuple[Any, Any], training: bool = False) -> Any:
        """Return the sample, or the mean."""
        mean, log_var = inputs
        if not training:
            return mean
        epsilon = keras.random.normal(ops.shape(mean), dtype=mean.dtype, seed=self.seed_generator)
        return mean + ops.exp(0.5 * log_var) * epsilon

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return the shape of the mean."""
        return input_shape[0]

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes."""
        return {**super().get_config(), "seed": self.seed}


@keras.saving.register_keras_serializable("ed_core")
class Frozen(keras.Model):
    """The graph of a trained model, that never trains: weights and statistics do not move.

    Nor does it drop out, add noise or sample. (In a functional model `part(x, training=False)` does
    not reach that: `fit` calls every layer with its own `training`.)

    Args:
        part: a functional model; its layers are shared and cease to be trainable.
    """

    def __init__(self, part: Any) -> None:
        super().__init__(inputs=part.input, outputs=part.output, name=part.name)
        self.trainable = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Return what the part infers, whether or not the model around it trains."""
        return super().call(inputs, training=False, mask=mask)

    def get_config(self) -> dict[str, Any]:
        """Return the configuration of its graph."""
        part = keras.Model(self.input, self.output, name=self.name)
        return {"part": keras.saving.serialize_keras_object(part)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Frozen":
        """Return the part of a configuration, frozen."""
        return cls(keras.saving.deserialize_keras_object(config["part"], custom_objects))


@keras.saving.register_keras_serializable("ed_core")
class CentredBatchNormalization(layers.BatchNormalization):
    """Keras' layer, its variance in training that of values whose mean was taken away before.

    Values of 5 +- 0.1 come out of Keras' own wrong by 1e-3 on PyTorch and 5e-5 on TensorFlow, here
    by 5e-6. Options and weights are those of Keras' layer. So is all that it does in use, with a
    mask, `renorm` or `synchronized`, and on JAX.
    """

    def call(self, inputs: Tensor, training: bool | None = None, mask: Tensor = None) -> Tensor:
        """Return the normalised values, in the shape of the inputs."""
        own = mask is None and not self.renorm and not self.synchronized
        if moments.exact_moments() or not (own and training and self.trainable):
            return super().call(inputs, training=training, mask=mask)
        half = keras.backend.standardize_dtype(inputs.dtype) in ("float16", "bfloat16")
        x = ops.cast(inputs, "float32") if half else inputs
        channels = self.axis % len(x.shape)
        sizes = (x.shape[channels],)
        factor = ops.cast(self.gamma, x.dtype) if self.scale else ops.ones(sizes, x.dtype)
        offset = ops.cast(self.beta, x.dtype) if self.center else ops.zeros(sizes, x.dtype)
        values, mean, variance = moments.normalised(x, channels, self.epsilon, factor, offset)
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance)
        return ops.cast(values, self.compute_dtype)

    def _follow(self, average: Any, value: Tensor) -> None:
        """Move an average by the share 1 - momentum towards a value of each channel."""
        value = ops.cast(value, average.dtype)
        average.assign(average * self.momentum + value * (1.0 - self.momentum))


@keras.saving.register_keras_serializable("ed_core")
class SharedNetwork(layers.Layer):
    """Calls a network that the model around it holds elsewhere; gradients reach its weights.

    The layer has no weights: those of the network stand once in the model, in their old order,
    which is the order in which run folders keep them.

    Args:
        network: a built model, from a dict of tensors to a dict of tensors.
    """

    def __init__(self, network: keras.Model, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        # Keras tracks every layer that is an attribute, and would count its weights twice.
        self._network = lambda: network

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the network's outputs."""
        return self._network()(inputs, training=training)

    def save_own_variables(self, store: Any) -> None:
        """Write the network's weights to a saved model: one that lies deeper is copied there."""
        for number, variable in enumerate(self._network().weights):
            store[str(number)] = to_numpy(variable)

    def load_own_variables(self, store: Any) -> None:
        """Read what `save_own_variables` wrote."""
        for number, variable in enumerate(self._network().weights):
            if str(number) in store:
                variable.assign(store[str(number)])

    def get_config(self) -> dict[str, Any]:
        """Return the network's configuration, which a saved model shares with a layer beside it."""
        network = keras.saving.serialize_keras_object(self._network())
        return {**super().get_config(), "network": network}

    def share(self, network: Any) -> None:
        """Call this network from now on, one of the same graph."""
        self._network = lambda: network

    def called(self) -> Any:
        """Return the network that is called; an attribute would be saved a second time."""
        return self._network()

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """Return the layer that calls the network of this configuration."""
        network = keras.saving.deserialize_keras_object(config["network"])
        return cls(**{**config, "network": network})


def shared_networks(net: Any) -> dict[str, str]:
    """Return the path of each `SharedNetwork` in a model, and that of the network that it calls.

    A saved model holds a copy of a network that lies deeper than in its outermost graph, since
    Keras loses there which objects are the same; `share_networks` puts them together again.
    """
    layers_by_path = dict(_layers(net))
    paths = {id(layer): path for path, layer in layers_by_path.items()}
    return {
        path: paths[id(layer.called())]
        for path, layer in layers_by_path.items()
        if isinstance(layer, SharedNetwork) and id(layer.called()) in paths
    }


def share_networks(net: Any, paths: Mapping[str, str]) -> None:
    """Let the layers at some paths of a model call networks of it, as `shared_networks` said."""
    for path, network in paths.items():
        layer_at(net, path)[1].share(submodel(net, network))


def _layers(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for layer in model.layers:
        yield f"{prefix}{layer.name}", layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer, f"{prefix}{layer.name}/")


@keras.saving.register_keras_serializable("ed_core")
class Noise(layers.Layer):
    """Draws a code from N(0, 1) for each sample of its input, (batch, ...) to (batch, latent).

    The draws come from a generator of the layer's own while training; otherwise a batch is given
    the same ones each time.

    Args:
        latent: numbers a code.
        seed: of the generator.

    Raises:
        ValueError: `latent` is below 1.
    """

    def __init__(self, latent: int, seed: int = 0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if latent < 1:
            raise ValueError(f"latent is at least 1, received {latent}")
        self.latent = latent
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """Return the codes; of the input, only the number of samples matters."""
        shape = (ops.shape(inputs)[0], self.latent)
        return keras.random.normal(shape, seed=self.seed_generator if training else self.seed)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """Return (batch, latent)."""
        return (input_shape[0], self.latent)

    def get_config(self) -> dict[str, Any]:
        """Return what `__init__` takes."""
        return {**super().get_config(), "latent": self.latent, "seed": self.seed}


@keras.saving.register_keras_serializable("ed_core")
class ConstantWeights(SharedNetwork):
    """Calls a network whose weights are constants: gradients pass to its input, and no further.

    The layer has no weights; the network stays a part of the model that calls it directly, where
    it trains. What the call changes in it (the averages of a batch normalisation) is dropped, and
    so its random layers (dropout) draw from streams that the direct calls never come to.

    Args:
        network: a built model, from a dict of tensors to a dict of tensors.
    """

    def call(self, inputs: Any, training: bool = False) -> Any:
        """Return the network's outputs."""
        network = self._network()
        constants = [ops.stop_gradient(weight) for weight in network.trainable_variables]
        state = [_moved(variable) for variable in network.non_trainable_variables]
        outputs, _ = network.stateless_call(constants, state, inputs, training=training)
        return outputs


def _moved(variable: Any) -> Tensor:
    """Return what a variable holds, of a seed generator with its counter 2^30 draws further.

    The state is (seed, counter). A training never draws so often; 2^31 would not fit into int32 on
    PyTorch, and Keras takes counters modulo 2^31 - 2 on TensorFlow.
    """
    if variable.path.rsplit("/", 1)[-1] != "seed_generator_state":
        return variable.value
    return ops.add(variable.value, ops.convert_to_tensor([0, 2**30], dtype=variable.dtype))


@keras.saving.register_keras_serializable("ed_core")
class MirrorAverage(layers.Wrapper):
    """Model of maps; in use the mean over the mirror images of its inputs, turned back.

    While it trains, it sees one image: what is mirrored is the batch.

    Args:
        layer: a model from maps to maps, all (batch, height, width, ...), dicts by name.
        mirrors: steps along the height and the width, 1 or -1, of each image that is looked at.
    """

    def __init__(self, layer: Any, mirrors: Sequence[Sequence[int]], **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.mirrors = [tuple(steps) for steps in mirrors]

    def call(self, inputs: dict[str, Tensor], training: bool | None = None) -> dict[str, Tensor]:
        """Return the maps of the inputs, by name."""
        if training:
            return dict(self.layer(inputs, training=True))
        seen = [
            {
                name: mirrored(maps, steps)
                for name, maps in self.layer(
                    {name: mirrored(x, steps) for name, x in inputs.items()}, training=False
                ).items()
            }
            for steps in self.mirrors
        ]
        return {name: sum(one[name] for one in seen) / len(seen) for name in seen[0]}

    def get_config(self) -> dict[str, Any]:
        """Return the layer and the mirror images."""
        return {**super().get_config(), "mirrors": self.mirrors}


def mirrored(maps: Tensor, steps: Sequence[int]) -> Tensor:
    """Return maps (batch, height, width, ...) read with these steps along height and width."""
    axes = [axis for axis, step in enumerate(steps, 1) if step < 0]
    return ops.flip(maps, axes) if axes else maps
