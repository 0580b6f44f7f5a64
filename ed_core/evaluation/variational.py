"""The bound on the evidence of a variational model."""

import numpy as np

from ed_core.evaluation.predicting import mean_of, predict
from ed_core.evaluation.subject import Numbers, Subject
from ed_core.seeds import Seeds
from ed_core.spec import Head

ACTIVE = 0.01  # variance of E[z|x] from which a latent unit is active; Burda et al., 2016


def evidence_bound(subject: Subject, head: Head) -> Numbers:
    """Return the negative ELBO of the model proper (weight 1), its two terms, and active units.

    z = mean + exp(log_var / 2) * epsilon, one an image. Kingma & Welling, 2014, equation 10.
    """
    posterior = subject.outputs[head.output]
    mean, log_var = posterior[:, 0], posterior[:, 1]
    epsilon = Seeds(subject.seed).generator("noise").standard_normal(mean.shape, np.float32)
    z = (mean + np.exp(0.5 * log_var) * epsilon).reshape(-1, *(subject.code_shape or ()))
    decoded = predict(subject.run.decoder, {**subject.arrays, "code": z})
    kl = mean_of(head.loss, posterior)
    terms = [
        mean_of(term.loss, subject.arrays[term.target], decoded[term.output])
        for term in subject.reconstructions
    ]
    return {
        "neg_elbo": sum(terms) + kl,
        "reconstruction": sum(terms),
        "kl": kl,
        "active_units": int(np.sum(mean.var(axis=0) > ACTIVE)),
    }
