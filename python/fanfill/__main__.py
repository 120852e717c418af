"""``python -m fanfill``: the command line without the installed script.

It must not know any command.
"""

import sys

from .cli import main

if __name__ == "__main__":
    sys.exit(main())
