"""Probes of the recorder, one a file.

Every probe looks at the same fixed reference batch, a dict of numpy arrays by field, and returns a
dict of numpy arrays. Its `kind` chooses the panel that shows it; a new kind needs no other change.
"""

from ed_core.probes.activations import Activations as Activations
from ed_core.probes.base import Batch as Batch
from ed_core.probes.base import Bound as Bound
from ed_core.probes.base import Probe as Probe
from ed_core.probes.base import first as first
from ed_core.probes.base import flat as flat
from ed_core.probes.base import half as half
from ed_core.probes.base import keeping_digits as keeping_digits
from ed_core.probes.base import recorded as recorded
from ed_core.probes.latent import LatentCodes as LatentCodes
from ed_core.probes.latent import LatentScan as LatentScan
from ed_core.probes.latent import decode as decode
from ed_core.probes.latent import encoder_of as encoder_of
from ed_core.probes.latent import scan as scan
from ed_core.probes.predictions import Predictions as Predictions
from ed_core.probes.reading import ModelCall as ModelCall
from ed_core.probes.reading import Reading as Reading
from ed_core.probes.reconstruction import Reconstruction as Reconstruction
from ed_core.probes.samples import Samples as Samples
