"""`python -m ed_core.command`: the command under its earlier name."""

import sys

from ed_core.cli import main

sys.exit(main())
