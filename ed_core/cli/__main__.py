"""`python -m ed_core.cli`: the command without an installed script."""

import sys

from ed_core.cli import main

sys.exit(main())
