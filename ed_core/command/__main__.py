"""`python -m ed_core.command`: the command, where it is not on the path."""

import sys

from ed_core.command import main

sys.exit(main())
