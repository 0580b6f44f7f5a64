"""New samples as one sheet: a PNG of rows and columns, with the class of each row beside it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from ed_core.errors import EdkitError
from ed_core.inference.job import OutputJob, Refusal
from ed_core.inference.pictures import as_bytes
from ed_core.inference.stream import Result, Sample
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.prior import Generator

_GAP = 4  # pixels between pictures
_SIDE = 64  # pixels, at least, that a small picture is enlarged to
_TEXT = 16  # pixels, the height of a row's name
_LARGEST = 10**8  # pixels of a sheet
_ROW = "row"  # the column of the numbers of the samples


@dataclass(frozen=True)
class SheetWriter:
    """Writer of new samples into one PNG.

    Args:
        generator: of the samples, which knows the row and the column of each.
        outputs: what is written: one image.

    Raises:
        EdkitError: it is no image, or the sheet would be too large.
    """

    generator: Generator
    outputs: Fields

    def __post_init__(self) -> None:
        if self._image.kind != "image" or self._image.shape[-1] not in (1, 3):
            raise EdkitError(
                f"a sheet is of grey or colour images, and this run makes {self._image.words}: "
                "give --output a file that ends in .npz or .h5."
            )
        height, width = self._size
        if height * width > _LARGEST:
            raise EdkitError(
                f"a sheet of {width:,} x {height:,} pixels is too large: take fewer samples, or "
                "give --output a folder."
            )

    @property
    def _image(self) -> Field:
        return next(iter(self.outputs.values()))

    @property
    def _factor(self) -> int:
        """By how much each pixel is enlarged."""
        return max(1, -(-_SIDE // max(self._image.shape[:2])))

    @property
    def _step(self) -> tuple[int, int]:
        """From a picture to the next one, downwards and to the right."""
        height, width = self._image.shape[:2]
        return height * self._factor + _GAP, width * self._factor + _GAP

    @property
    def _size(self) -> tuple[int, int]:
        cells = [self.generator.cell(row) for row in range(len(self.generator.drawing))]
        rows, columns = (1 + max(one[axis] for one in cells) for axis in (0, 1))
        (down, across), names = self._step, self._names_width()
        return rows * down + _GAP, names + columns * across + _GAP

    def write(self, job: OutputJob, results: Sequence[Result]) -> tuple[Sample, list[Refusal]]:
        """Return the images of some samples as bytes, with their numbers."""
        (name,) = self.outputs
        images = np.stack([as_bytes(result.outputs[name]) for result in results])
        return {_ROW: np.array([result.row for result in results]), name: images}, []

    def finish(self, job: OutputJob) -> None:
        """Put all images together in one file."""
        height, width = self._size
        sheet = Image.new(self._mode, (width, height), "white")
        for row, image in self._images(job):
            whole = image.repeat(self._factor, axis=0).repeat(self._factor, axis=1)
            picture = Image.fromarray(whole[..., 0] if whole.shape[-1] == 1 else whole)
            line, column = self.generator.cell(row)
            top, left = line * self._step[0] + _GAP, column * self._step[1] + _GAP
            sheet.paste(picture, (self._names_width() + left, top))
        draw = ImageDraw.Draw(sheet)
        for line, name in self._names().items():
            middle = line * self._step[0] + self._step[0] // 2
            draw.text((_GAP, middle), name, "black", ImageFont.load_default(_TEXT), anchor="lm")
        with job.whole(job.output) as part:
            sheet.save(part, "png")

    @property
    def _mode(self) -> str:
        return "L" if self._image.shape[-1] == 1 else "RGB"

    def _images(self, job: OutputJob) -> Iterator[tuple[int, np.ndarray]]:
        """Yield the number and the pixels of each sample."""
        (name,) = self.outputs
        for path in job.parts():
            with np.load(path, allow_pickle=False) as arrays:
                yield from zip(arrays[_ROW].tolist(), arrays[name], strict=True)

    def _names(self) -> dict[int, str]:
        """Return the class of each row, where the decoder takes one."""
        names: dict[int, str] = {}
        for row in range(len(self.generator.drawing)):
            if self.generator.label:
                names.setdefault(self.generator.cell(row)[0], self.generator.class_name(row))
        return names

    def _names_width(self) -> int:
        font = ImageFont.load_default(_TEXT)
        return max(
            (round(font.getlength(name)) + _GAP for name in self._names().values()), default=0
        )
