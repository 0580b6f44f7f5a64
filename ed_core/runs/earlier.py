"""Runs of earlier versions: their format numbers, and known faults."""

from collections.abc import Mapping
from typing import Any

from ed_core.engine.gradients import equal_paths
from ed_core.recording.run_description import FORMAT


def is_earlier(info: Mapping[str, Any]) -> bool:
    """Return whether a run was begun before format 2.

    Args:
        info: what its `run.json` says.
    """
    return bool(info.get("format", 1) < FORMAT)


def faults(info: Mapping[str, Any], model: Any) -> list[str]:
    """Return what was wrong when an earlier run was trained, a sentence each.

    Args:
        info: what its `run.json` says.
        model: built as the run's was.
    """
    sentences = []
    if info.get("backend") == "torch" and (paths := equal_paths(model.trainable_variables)):
        sentences.append(
            f"it was trained on torch when the gradients of {len(paths)} of its variables "
            f"(such as {paths[0]}) were not zeroed between steps"
        )
    if not info.get("only"):
        sentences.append(
            "where its data have no validation split of their own, its best checkpoint was chosen "
            "on the test split"
        )
    return sentences
