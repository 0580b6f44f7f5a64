"""Functional model of named inputs and targets, whose callers are told what is missing."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ed_core.engine.resident import GatheringModel
from ed_core.errors import EdkitError
from ed_core.nn.submodels import model_inputs
from ed_core.plugins.spec import Head


class NamedModel(GatheringModel):
    """A model that checks the names of what Keras' methods are given before Keras looks at them.

    Keras would speak of layers and of positions.

    Attributes:
        heads: the terms of its objective; those with a target need one of their name.
    """

    heads: tuple[Head, ...] = ()

    def predict(self, x: Any, *args: Any, **kwargs: Any) -> Any:
        """Return the outputs by name, (samples, ...) each, as Keras does.

        Args:
            x: input name to (samples, ...), or whatever else Keras takes.
            args: what Keras takes beside it.
            kwargs: the same, by name.

        Raises:
            EdkitError: an input is missing; Keras would speak of layers and of positions.
        """
        if isinstance(x, Mapping):
            x = model_inputs(self, x)
        return super().predict(x, *args, **kwargs)

    def fit(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does, on targets by head; raises EdkitError where one is missing.

        Args:
            x: input name to (samples, ...), or whatever else Keras takes.
            y: head name to (samples, ...), where `x` holds arrays.
            args: what Keras takes beside them.
            kwargs: the same, by name.
        """
        self._check_targets(x, y)
        validation = kwargs.get("validation_data")
        if isinstance(validation, tuple):
            self._check_targets(*(*validation, None)[:2])
        return super().fit(x, y, *args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Measure as Keras does, on targets by head; see `fit`."""
        self._check_targets(x, y)
        return super().evaluate(x, y, *args, **kwargs)

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Take one step as Keras does, on targets by head; see `fit`."""
        self._check_targets(x, y)
        return super().train_on_batch(x, y, *args, **kwargs)

    def test_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Measure one batch as Keras does, on targets by head; see `fit`."""
        self._check_targets(x, y)
        return super().test_on_batch(x, y, *args, **kwargs)

    def _check_targets(self, x: Any, y: Any) -> None:
        """Raise EdkitError where arrays are given, and the target of a head is not among them."""
        if not isinstance(x, Mapping | np.ndarray):
            return  # batches bring their targets; `_term` looks at them
        targets = y if isinstance(y, Mapping) else {}
        missing = [h.name for h in self.heads if h.needs_target and targets.get(h.name) is None]
        if missing:
            what = "none" if y is None else ", ".join(map(repr, targets)) or type(y).__name__
            raise EdkitError(no_target(missing, what))


def no_target(heads: Sequence[str], received: str) -> str:
    """Return the message about heads without a target, and about what was given instead."""
    names = ", ".join(map(repr, heads))
    return (
        f"head{'s' * (len(heads) > 1)} {names} of the model: expected targets as a dict by head, "
        f"received {received}: give y={{{', '.join(f'{name!r}: ...' for name in heads)}}}."
    )
