"""`python -m criwatch`: the command."""

import sys

from criwatch.cli import main

if __name__ == "__main__":
    sys.exit(main())
