"""Codes turned into pictures by a run's decoder, whatever else the decoder is given."""

from dataclasses import dataclass

import numpy as np

from ed_core import decoder
from ed_core.errors import EdkitError
from ed_core.evaluation import predict
from ed_core.figures.material import Material
from ed_core.figures.mosaic import picture


@dataclass(frozen=True)
class Decoder(decoder.Decoder):
    """A submodel that makes an image of a code, and of a class where it is conditional."""

    def pictures(self, codes: np.ndarray, labels: np.ndarray | None = None) -> list[np.ndarray]:
        """Return what it makes of codes (samples, ...), flat or not, as grey or RGB in 0..1.

        Args:
            codes: (samples, ...).
            labels: (samples,) class numbers, for a conditional decoder.
        """
        given = self.inputs(codes, 0 if labels is None else labels)
        return [picture(image) for image in predict(self.model, given)[self.output]]


def decoder_of(material: Material) -> Decoder | None:
    """Return the decoder or generator of a run, or None where none makes images of codes alone.

    Beside the code it may take one class; one that needs more, such as skips, does not count.
    """
    try:
        found = decoder.find_decoder(material.run.model, material.fields)
    except EdkitError:
        return None
    images = {field.shape for field in material.fields.values() if field.kind == "image"}
    if tuple(found.model.output[found.output].shape[1:]) not in images:
        return None
    names = found.classes
    if found.label and not names:  # a class field without names: as many as there are
        count = int(material.samples[found.label].max()) + 1
        names = tuple(str(number) for number in range(count))
    return Decoder(found.model, found.output, found.label, names)
