"""Decode by hand: every run that is opened gets a decoder, which its panels start."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QProcess

from ed_viewer.decoder import Decoder
from ed_viewer.decoder_process import FAREWELL
from ed_viewer.messages import Frame
from ed_viewer.part import Part

if TYPE_CHECKING:
    from ed_viewer.window import Window


class ByHand(Part):
    """Hands the stage the decoder of the open run, and tells it where the cursor is."""

    name = "by_hand"

    def __init__(self, window: Window) -> None:
        super().__init__(window)
        window.session.opened.connect(self._open)
        window.session.drawn.connect(self._move)

    def end(self) -> None:
        """End the decoder's process, and wait for those of runs that were left just now."""
        if self.window.stage.decoder is not None:
            self.window.stage.decoder.stop(wait=True)
        for process in self.findChildren(QProcess):
            process.waitForFinished(FAREWELL)

    def _open(self, path: Path) -> None:
        before = self.window.stage.decoder
        if before is not None:
            before.stop()
            before.deleteLater()
        self.window.stage.decoder = Decoder(path, self)

    def _move(self, frame: Frame) -> None:
        """Note the step before the panels draw, and so ask."""
        decoder, growth = self.window.stage.decoder, self.window.session.growth
        if decoder is not None and growth is not None and frame.request.frame < len(growth.steps):
            decoder.step = int(growth.steps[frame.request.frame])
