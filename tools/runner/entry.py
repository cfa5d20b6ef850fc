# SPDX-License-Identifier: MIT
"""How a command of run.sh begins and ends."""

import sys
from collections.abc import Callable
from typing import NoReturn

from .errors import EXIT_ERROR, RunnerError
from .verdict import EXIT_CODE


def enter(main: Callable[[str, list[str]], int]) -> NoReturn:
    """End with the exit code of main(COMMAND, WORDS); they are the command line's."""
    command, *arguments = sys.argv[1:]
    try:
        sys.exit(main(command, arguments))
    except RunnerError as error:
        print(f"{command}: {error}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        sys.exit(EXIT_CODE["CUT"])
