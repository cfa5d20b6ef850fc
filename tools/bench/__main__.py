# SPDX-License-Identifier: MIT
"""`python -m bench COMMAND bench|bench-count|bench-compare [ARGUMENT...]`, for run.sh.

COMMAND is what the user typed for run.sh.
"""

import signal
import sys

from runner.errors import EXIT_ERROR, RunnerError
from runner.verdict import EXIT_CODE

from . import compare, count, measure


def main(command: str, name: str, *arguments: str) -> int:
    """Returns the exit code."""
    if name == "bench-count":
        return count.main(command, list(arguments))
    if name == "bench-compare":
        return compare.main(list(arguments))
    return measure.main(command, list(arguments))


if __name__ == "__main__":
    # As Ctrl-C: what was started is ended.
    signal.signal(signal.SIGTERM, signal.getsignal(signal.SIGINT))
    try:
        sys.exit(main(*sys.argv[1:]))
    except RunnerError as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_CODE["CUT"])
