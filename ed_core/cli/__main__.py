"""`python -m ed_core.cli`: the command, where it is not on the path."""

import sys

from ed_core.cli import main

sys.exit(main())
