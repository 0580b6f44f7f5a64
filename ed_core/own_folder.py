"""The run folder of a recording that no `train` looks after."""

from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

import keras

from ed_core.recording import RunFolder
from ed_core.recording.description import checked


class OwnFolder:
    """Makes a run folder, holds it while it is written to, and leaves in it how that ended."""

    def __init__(self, folder: RunFolder) -> None:
        self._folder = folder
        self._held = ExitStack()

    def begin(self, run: Mapping[str, Any]) -> None:
        """Make the folder, or go on in it.

        Raises:
            EdkitError: another process trains in it, or what is said of the run is not what
                `run.json` may hold.
        """
        versions = {"backend": keras.config.backend(), "keras": keras.__version__}
        info = checked({**run, **versions, "status": "training"}, str(self._folder.info_file))
        for part in (self._folder.recording, self._folder.checkpoints):
            part.mkdir(parents=True, exist_ok=True)
        self._held.enter_context(self._folder.hold())
        self._folder.write(info)

    def end(self, status: str, error: BaseException | None = None) -> None:
        """Write the status, and what failed; does nothing if the folder was never made."""
        try:
            if self._folder.info_file.exists() and status == "failed":
                self._folder.fail(error)
            elif self._folder.info_file.exists():
                self._folder.end(status)
        finally:
            self._held.close()
