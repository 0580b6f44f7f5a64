"""A second call of a network that is a part of the same model elsewhere."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
from keras import layers

from ed_core.submodels import layer_at, submodel, to_numpy


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
    found = dict(_layers(net))
    paths = {id(layer): path for path, layer in found.items()}
    return {
        path: paths[id(layer.called())]
        for path, layer in found.items()
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
