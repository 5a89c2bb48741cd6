"""`python -m criwatch`: a first look."""

import sys

from criwatch._command import main

if __name__ == "__main__":
    sys.exit(main())
