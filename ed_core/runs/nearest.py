"""Weights of a run nearest to any step, safe while a trainer replaces checkpoints."""

from pathlib import Path
from typing import Any

from ed_core.errors import EdkitError
from ed_core.recording import RunFolder
from ed_core.runs.checkpoints import nearest_first, restore_weights
from ed_core.runs.rebuilding import load_weights

_LOOKS = 3  # at a folder whose checkpoints are replaced while it is looked at

Identity = tuple[int, int, int]


class NearestWeights:
    """Loader of the weights nearest to a step.

    Args:
        folder: the run, live or finished.
        model: built as the run's was.
    """

    def __init__(self, folder: RunFolder, model: Any) -> None:
        self._folder = folder
        self._model = model
        self._loaded: Identity | None = None
        self._refused: set[Identity] = set()

    def take(self, step: int) -> int | None:
        """Load what is nearest to a step, and return its step.

        None stands for the final weights, where no checkpoint can be read. A file that is missing
        or damaged is passed over for the next.

        Raises:
            EdkitError: there is nothing that can be read yet.
        """
        for _ in range(_LOOKS):
            for nearest, path in nearest_first(self._folder.checkpoints, step):
                if self._load(nearest, path):
                    return nearest
            if self._load(None, self._folder.weights):
                return None
        raise EdkitError("no checkpoint can be read yet.")

    def _load(self, step: int | None, path: Path) -> bool:
        try:
            status = path.stat()
        except OSError:  # the trainer has replaced it
            return False
        identity = (status.st_ino, status.st_mtime_ns, status.st_size)
        if identity == self._loaded:
            return True
        if identity in self._refused:
            return False
        self._loaded = None
        try:
            if step is None:
                load_weights(self._model, path)
            else:
                restore_weights(path, self._model)
        except EdkitError:
            if path.exists():  # not replaced in between
                self._refused.add(identity)
            return False
        self._loaded = identity
        return True
