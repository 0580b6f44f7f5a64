"""Precision of a model: Keras' global dtype policy at the time it is built."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import keras

from ed_core.errors import EdkitError


def of_now() -> dict[str, str]:
    """Return what a model that is built now computes with, ready for JSON."""
    return {"dtype_policy": keras.config.dtype_policy().name, "floatx": keras.config.floatx()}


@contextmanager
def as_trained(info: Mapping[str, Any]) -> Iterator[None]:
    """Let the models built in this block compute as a run did.

    Args:
        info: what its `run.json` says; where it says nothing, today's policy holds.

    Raises:
        EdkitError: it names a policy that Keras does not know.
    """
    recorded = info.get("precision")
    if not isinstance(recorded, Mapping):
        yield
        return
    policy, floatx = keras.config.dtype_policy(), keras.config.floatx()
    try:
        try:
            keras.config.set_floatx(str(recorded.get("floatx", floatx)))
            keras.config.set_dtype_policy(str(recorded.get("dtype_policy", policy.name)))
        except ValueError as error:
            raise EdkitError(
                f"'precision' in run.json is {dict(recorded)}: expected a dtype_policy such as "
                "float32 or mixed_bfloat16 and a floatx such as float32."
            ) from error
        yield
    finally:
        keras.config.set_floatx(floatx)
        keras.config.set_dtype_policy(policy)
