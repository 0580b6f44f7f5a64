"""`python -m ed_viewer [RUN ...]`."""

import sys

from ed_viewer.app import main

sys.exit(main(sys.argv[1:]))
