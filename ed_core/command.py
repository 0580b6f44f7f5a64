"""The name that `ed_core.cli` had until 0.1; it goes with the next version."""

import sys
import warnings

from ed_core.cli import main as main

warnings.warn(
    "ed_core.command is ed_core.cli now: use that, the old name goes with the next version.",
    FutureWarning,
    stacklevel=2,
)

if __name__ == "__main__":
    sys.exit(main())
