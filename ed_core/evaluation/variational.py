"""The bound on the evidence of a variational model."""

import numpy as np

from ed_core.evaluation.predicting import total, values_of
from ed_core.evaluation.subject import Numbers, Part, Subject
from ed_core.seeds import Seeds
from ed_core.spec import Head
from ed_core.submodels import taken

ACTIVE = 0.01  # variance of E[z|x] from which a latent unit is active; Burda et al., 2016


class EvidenceBound:
    """The negative ELBO of the model proper (weight 1), its two terms, and active units.

    z = mean + exp(log_var / 2) * epsilon, one a sample. Kingma & Welling, 2014, equation 10. A
    reconstruction that was never trained, since its weight is 0, is no term.
    """

    def __init__(self, subject: Subject, head: Head) -> None:
        self._subject, self._head = subject, head
        self._terms = [term for term in subject.reconstructions if subject.run.taught(term)]
        self._random = Seeds(subject.seed).generator("noise")
        self._kl = self._reconstruction = 0.0
        self._samples = 0
        self._mean: np.ndarray | float = 0.0  # (latent,) of what came so far
        self._squares: np.ndarray | float = 0.0  # of the differences from that mean

    def add(self, part: Part) -> None:
        """Take some samples into account."""
        posterior = part.outputs[self._head.output]
        mean, log_var = posterior[:, 0], posterior[:, 1]
        epsilon = self._random.standard_normal(mean.shape, np.float32)
        z = (mean + np.exp(0.5 * log_var) * epsilon).reshape(-1, *(self._subject.code_shape or ()))
        decoder = self._subject.run.decoder
        decoded = decoder.predict_on_batch(taken(decoder, {**part.arrays, "code": z}))
        self._kl += total(values_of(self._head.loss, posterior))
        for term in self._terms:
            target, output = part.arrays[term.target], decoded[term.output]
            self._reconstruction += total(values_of(term.loss, target, output))
        self._add_means(mean.astype("float64"))

    def _add_means(self, means: np.ndarray) -> None:
        """Take means (samples, latent) into their variance; Chan et al., 1983."""
        before, count = self._samples, len(means)
        own = means.mean(axis=0)
        self._samples += count
        self._squares += np.square(means - own).sum(axis=0)
        self._squares += np.square(own - self._mean) * before * count / self._samples
        self._mean += (own - self._mean) * count / self._samples

    def numbers(self) -> Numbers:
        """Return them by name, in nats."""
        kl, rest = self._kl / self._samples, self._reconstruction / self._samples
        return {
            "neg_elbo": rest + kl,
            "reconstruction": rest,
            "kl": kl,
            "active_units": int(np.sum(self._squares / self._samples > ACTIVE)),
        }
