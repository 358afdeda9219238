"""The command line: `symphainy`. It translates words to calls of `Platform`, and answers to words."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from symphainy_platform.errors import IntentError, StartError

EXIT_FAILED = 1
"""The intent failed; its code is on standard error."""
EXIT_REFUSED = 2
"""Nothing was tried: the words, the settings, the store or a plugin do not allow it."""


def main() -> None:
    """Run one command and leave with 0, EXIT_FAILED or EXIT_REFUSED."""
    _open_missing_streams()
    from symphainy_platform.cli.app import app  # noqa: PLC0415 - importing `cli` alone must cost nothing
    from symphainy_platform.cli.output import print_failure, print_refusal  # noqa: PLC0415

    try:
        _run(app)
    except IntentError as error:
        print_failure(error)
        sys.exit(EXIT_FAILED)
    except StartError as error:
        print_refusal(error)
        sys.exit(EXIT_REFUSED)
    except BrokenPipeError:  # who read the output has seen enough
        _give_up_output()
        sys.exit(EXIT_FAILED)
    except OSError as error:  # the output has no room: what was done is done, but nobody could read it
        _give_up_output()
        print_refusal(error)
        sys.exit(EXIT_FAILED)


def _run(app: Callable[[], None]) -> None:
    """Run the command and write its output out, while a failure to do so can still be told."""
    try:
        app()
    finally:
        sys.stdout.flush()


def _give_up_output() -> None:
    """Let what is still buffered lead nowhere: the interpreter would fail on it once more at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _open_missing_streams() -> None:
    """Give a process that was started without them outputs that lead nowhere.

    Otherwise its first file or socket would become standard output, and get what is printed.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115 - as long as the process
