"""`python -m ed_core.decoding RUN`: the process that decodes, under its earlier name."""

import warnings

from ed_core.decoding.worker import main

warnings.warn(
    "python -m ed_core.decoding is ed_core.decoding.worker now: use that, the old name goes with "
    "the next version.",
    FutureWarning,
    stacklevel=1,
)
main()
