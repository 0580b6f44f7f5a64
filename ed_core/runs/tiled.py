"""Pictures larger than a model: cut into tiles that overlap, and put together without a seam."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal

import numpy as np

from ed_core.data.tiles import Band, Tiling, in_tiles
from ed_core.errors import EdkitError
from ed_core.nn.objective import Objective
from ed_core.nn.submodels import to_numpy
from ed_core.plugins.spec import Field, Fields
from ed_core.runs.outputs import Inference, fitting
from ed_core.runs.rebuilding import rebuild
from ed_core.runs.trained_model import TrainedModel

Tile = int | Literal["auto", "none"]
"""The side of a tile in pixels, `auto` or `none`."""

SCORE = "score"
_PART = 4  # of a tile, that neighbours share unless told otherwise


def extent_of(inputs: Fields) -> tuple[int, int] | None:
    """Return the height and width of the picture that a model takes, None where it takes none."""
    shapes = [one.shape for one in inputs.values() if one.kind == "image"]
    return (shapes[0][0], shapes[0][1]) if shapes else None


def is_tileable(inference: Inference) -> bool:
    """Return whether pictures go in, and maps of them, or a score of each, come out."""
    extent = extent_of(inference.inputs)
    outputs = inference.outputs
    return extent is not None and (
        SCORE in outputs or all(one.shape[:2] == extent for one in outputs.values())
    )


def is_mask(inference: Inference) -> bool:
    """Return whether the class of every pixel comes out."""
    return any(one.kind == "class" and len(one.shape) > 1 for one in inference.outputs.values())


def tiled(inference: Inference, tile: Tile = "auto", overlap: int | None = None) -> Inference:
    """Return an inference that takes pictures of any size, in tiles.

    Args:
        inference: of samples of one size.
        tile: the side of a tile in pixels; `auto` for the size that the model was trained on,
            `none` for each picture in one piece.
        overlap: pixels that neighbours share at least; by default a quarter of a tile.

    Raises:
        EdkitError: what comes out is no picture, or the model takes no other size.
    """
    extent = extent_of(inference.inputs)
    if extent is None or not is_tileable(inference):
        raise EdkitError(
            "tiles are of pictures of which pictures or scores are made: leave --tile out; the run "
            f"makes {', '.join(inference.outputs)} of {', '.join(inference.inputs)}."
        )
    size: tuple[int, ...] = extent if tile == "auto" else ()
    if isinstance(tile, int):
        size = tile, tile
    shortest = min(size, default=1)
    shared = shortest // _PART if overlap is None else overlap
    if size and not 0 <= shared < shortest:
        raise EdkitError(
            f"--overlap is from 0 to {shortest - 1}, less than a tile of {shortest} pixels, "
            f"received {overlap}."
        )
    if SCORE in inference.outputs and size != extent:
        raise EdkitError(
            f"scores are settled on {extent[0]}x{extent[1]} pixels: leave --tile out, or say "
            "--tile auto."
        )
    known = {one.name: getattr(inference, one.name) for one in fields(Inference)}
    result = TiledInference(**known, tiling=Tiling(size, shared))
    if size:
        result.model_of(size)
    return result


def words(inference: Inference) -> str:
    """Return what is said of the tiles of an inference, "" where it makes none."""
    if not isinstance(inference, TiledInference):
        return ""
    size, overlap = inference.tiling.size, inference.tiling.overlap
    if not size:
        return "in one piece each"
    return f"in tiles of {size[0]}x{size[1]} pixels that overlap by {overlap}, blended"


@dataclass(frozen=True)
class TiledInference(Inference):
    """Inference of pictures of any size: the outputs of their tiles, blended.

    Where scores come out, that of a picture is the largest of its tiles', and its map is blended.

    Args:
        tiling: the tiles.
    """

    tiling: Tiling = field(default_factory=lambda: Tiling((), 0))

    @property
    def batch_size(self) -> int:
        """How many pictures of unknown sizes are computed at a time: one."""
        return 1

    def batch_of(self, samples: Mapping[str, Any]) -> int:
        """Return how many are computed at a time: of pictures of another size one."""
        own = extent_of(self.inputs)
        shapes = [np.shape(samples[name])[1:3] for name in self._pictures if name in samples]
        return fitting(self.inputs) if all(shape == own for shape in shapes) else 1

    def expected(self, name: str, shape: tuple[int, ...]) -> Field:
        """Return the field of an input, at the height and width that it has."""
        one = self.inputs[name]
        if name not in self._pictures or len(shape) != len(one.shape):
            return one
        return replace(one, shape=(*shape[:2], *one.shape[2:]))

    def computed(
        self, inputs: dict[str, np.ndarray], scales: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        """Return the outputs (pictures, ...) of pictures of one size."""
        extents = {inputs[name].shape[1:3] for name in self._pictures}
        if extents == {extent_of(self.inputs)} and self.tiling.size in (*extents, ()):
            return super().computed(inputs, scales)
        if len(extents) > 1:
            raise EdkitError(
                f"expected pictures of one size, received {' and '.join(map(str, extents))}."
            )
        count = len(next(iter(inputs.values())))
        pictures = [
            self._picture(
                {name: array[row] for name, array in inputs.items()},
                {name: array[row : row + 1] for name, array in scales.items()},
            )
            for row in range(count)
        ]
        return {name: np.stack([one[name] for one in pictures]) for name in pictures[0]}

    def model_of(self, size: tuple[int, ...]) -> Any:
        """Return the model for tiles of a size; raise EdkitError where it takes no other."""
        if size == extent_of(self.inputs):
            return self.model
        kept = self.__dict__.setdefault("_resized", {})
        if size not in kept:
            kept.clear()
            kept[size] = resized(self.run, size)
        return kept[size]

    @property
    def _pictures(self) -> list[str]:
        """The inputs that are cut into tiles."""
        own = extent_of(self.inputs)
        return [name for name, one in self.inputs.items() if one.shape[:2] == own]

    def _picture(
        self, inputs: Mapping[str, np.ndarray], scales: Mapping[str, np.ndarray]
    ) -> dict[str, np.ndarray]:
        extent = inputs[self._pictures[0]].shape[:2]
        tiling = self.tiling if self.tiling.size else Tiling(extent, 0)
        model = self.model_of(tiling.size)
        if SCORE in self.outputs:
            return _scored([*in_tiles(self._of_tiles, inputs, tiling)])
        bands = [
            self._finished(inputs, scales, band)
            for band in in_tiles(model.predict_on_batch, inputs, tiling)
        ]
        return {name: np.concatenate([band[name] for band in bands]) for name in bands[0]}

    def _of_tiles(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        raw = self.model.predict_on_batch(batch)
        return self.finish(batch, {name: np.asarray(x) for name, x in raw.items()})

    def _finished(
        self, inputs: Mapping[str, np.ndarray], scales: Mapping[str, np.ndarray], band: Band
    ) -> dict[str, np.ndarray]:
        """Return the outputs of some rows of a picture."""
        given = {
            name: (array[band.rows] if name in self._pictures else array)[None]
            for name, array in inputs.items()
        }
        outputs = self.finish(
            {**given, **scales}, {name: array[None] for name, array in band.maps.items()}
        )
        return {name: array[0] for name, array in outputs.items()}


def _scored(bands: list[Band]) -> dict[str, np.ndarray]:
    """Return the largest score of the tiles, what belongs to it, and the map of the picture."""
    others = {
        name: np.concatenate([band.others[name] for band in bands]) for name in bands[0].others
    }
    oddest = int(np.argmax(others[SCORE]))
    maps = {name: np.concatenate([band.maps[name] for band in bands]) for name in bands[0].maps}
    return {**{name: array[oddest] for name, array in others.items()}, **maps}


def resized(run: TrainedModel, size: tuple[int, ...]) -> Objective:
    """Return the model of a run, with its weights, for pictures of another size.

    Raises:
        EdkitError: its weights depend on the size, or it cannot be built for this one.
    """
    own = extent_of(Fields({name: run.fields[name] for name in run.model.input}))
    facts = {
        name: {**one, "shape": [*size, *one["shape"][2:]]}
        if tuple(one["shape"][:2]) == own
        else one
        for name, one in run.info["fields"].items()
    }
    weights = [to_numpy(one) for one in run.model.layer_weights]
    refusal = (
        f"the model of {str(run.path)!r} takes {' x '.join(map(str, own or ()))} pixels and cannot "
        f"take {' x '.join(map(str, size))}: leave --tile out, or say --tile auto."
    )
    try:
        model = rebuild({**run.info, "fields": facts}, [one.shape for one in weights])
    except EdkitError as error:
        raise EdkitError(f"{refusal[:-1]} ({str(error).rstrip('.')}).") from error
    variables = model.layer_weights
    if [tuple(one.shape) for one in variables] != [one.shape for one in weights]:
        raise EdkitError(refusal)
    for variable, array in zip(variables, weights, strict=True):
        variable.assign(array)
    return model
