"""`python -m gradgen` is the command `gradgen`."""

import sys

from gradgen.cli import main

if __name__ == "__main__":
    sys.exit(main())
