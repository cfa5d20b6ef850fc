# SPDX-License-Identifier: MIT
"""The one exception that is the user's to read."""

EXIT_ERROR = 3


class RunnerError(Exception):
    """Something that stops the run before there is a verdict. Its text is one clear message."""
