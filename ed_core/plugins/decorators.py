"""Decorators that register plugins, and the registries of models and data sets."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar, overload

from ed_core.engine import choose_backend
from ed_core.plugins.registry import Registry
from ed_core.plugins.spec import (
    ArrayReader,
    Dataset,
    DatasetSpec,
    FileReader,
    Head,
    ModelSpec,
)

SHARED = "edkit.plugins"
"""The entry-point group of packages that have models and data sets in one module."""

DATASETS: Registry[DatasetSpec] = Registry("data set", "edkit.datasets", SHARED)

# A model imports Keras, which takes the backend that is set at that moment; data sets do without.
MODELS: Registry[ModelSpec] = Registry("model", "edkit.models", SHARED, choose_backend)

Builder = TypeVar("Builder", bound=Callable[..., Any])
Loader = TypeVar("Loader", bound=Callable[..., Dataset])


def model(
    *,
    data: str,
    heads: Sequence[Head],
    probes: Sequence[Any] = (),
    optimizer: Callable[..., Any] | None = None,
    augment: Callable[..., Any] | None = None,
    initialise: Callable[..., None] | None = None,
) -> Callable[[Builder], Builder]:
    """Register the decorated builder as a model under its function name.

    Args:
        data: the name of the data set it is trained on by default.
        heads: the terms of its objective.
        probes: what the recorder watches.
        optimizer: a function of (model, learning rate schedule, options) that returns the Keras
            optimizer; by default Adam.
        augment: a function of (batch, random generator, options) that returns the training batch,
            a dict of arrays by field, changed; the generator follows from seed, epoch and batch.
            Of a field that is an input and a target, an input alone is changed where the batch
            holds as NAME_target what the heads are compared with.
        initialise: a function of (model, training split, options) that sets initial weights which
            the samples settle, such as principal components; it is a function of these alone.

    Raises:
        EdkitError: the name is taken.
        ValueError: two heads share a name, an option lacks a type or a default, or a head
            names an option or another head that is not there.
    """

    def register(builder: Builder) -> Builder:
        spec = ModelSpec(
            builder.__name__,
            builder,
            data,
            tuple(heads),
            tuple(probes),
            optimizer,
            augment,
            initialise,
        )
        names = [head.name for head in spec.heads]
        if not names or len(set(names)) < len(names):
            raise ValueError(f"model {spec.name!r} needs heads of different names, has {names}")
        for head in spec.heads:
            for option in (head.weight, head.warm_up):
                if isinstance(option, str) and option not in spec.options:
                    raise ValueError(f"head {head.name!r}: there is no option {option!r}")
            if head.after and head.after not in names:
                raise ValueError(f"head {head.name!r}: there is no head {head.after!r}")
        MODELS.add(spec.name, spec)
        return builder

    return register


@overload
def dataset(loader: Loader) -> Loader: ...


@overload
def dataset(
    *, files: FileReader | None = None, arrays: ArrayReader | None = None
) -> Callable[[Loader], Loader]: ...


def dataset(
    loader: Loader | None = None,
    *,
    files: FileReader | None = None,
    arrays: ArrayReader | None = None,
) -> Loader | Callable[[Loader], Loader]:
    """Register the decorated function as a data set under its name.

    Args:
        loader: the function, where the decorator stands without brackets.
        files: reads a user's own files for a finished run.
        arrays: reads the arrays of a program, as `train(model, {"image": x})` takes them.
    """

    def register(loader: Loader) -> Loader:
        DATASETS.add(loader.__name__, DatasetSpec(loader.__name__, loader, files, arrays))
        return loader

    return register if loader is None else register(loader)
