"""Pictures of values and classes of every pixel."""

import numpy as np
from matplotlib import colormaps

from ed_core.figures.material import Material
from ed_core.figures.mosaic import picture
from ed_core.figures.style import FAINT

SCALE = "cividis"  # of heights and other values: read alike by the colour-blind


def input_pictures(
    material: Material, size: tuple[int, ...], rows: np.ndarray
) -> dict[str, list[np.ndarray]]:
    """Return some samples of each input of the given (height, width), images before values.

    Args:
        material: the run.
        size: (height, width).
        rows: which samples.

    Returns:
        Field to pictures (height, width) or (height, width, 3), in 0..1.
    """
    images, values = {}, {}
    for name in material.run.model.input:
        field = material.fields.get(name)
        if field is None or field.shape[:2] != size or len(field.shape) > 3:
            continue
        few = material.samples[name][rows]
        if field.kind == "image":
            images[name] = [picture(image) for image in few]
        elif field.kind == "value" and field.shape[2:] in ((), (1,)):
            few = few.reshape(len(few), *size)
            values[name] = coloured(few, float(np.nanmin(few)), float(np.nanmax(few)))
    return images | values


def coloured(maps: np.ndarray, low: float, high: float) -> list[np.ndarray]:
    """Return maps of values (samples, height, width) as pictures (height, width, 3); NaN is grey.

    Args:
        maps: of values.
        low: the value at the dark end of the scale.
        high: the value at the bright end.
    """
    scaled = (maps - low) / max(high - low, 1e-12)
    return list(colormaps[SCALE].with_extremes(bad=FAINT)(scaled)[..., :3])
