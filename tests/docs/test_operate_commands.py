"""The shell lines of docs/operate.md are run, in order, in an empty folder."""

import os
import re
import subprocess
import sys
from pathlib import Path

PAGE = (Path(__file__).parents[2] / "docs" / "operate.md").read_text("utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
LINES = [line.partition(" # ")[0].strip() for block in BLOCKS for line in block.splitlines()]


def test_commands_run(tmp_path):
    ours = {name: value for name, value in os.environ.items() if not name.startswith("SYMPHAINY_")}
    environment = {**ours, "PATH": f"{Path(sys.executable).parent}:{ours['PATH']}"}
    assert len(LINES) >= 5
    for line in LINES:
        done = subprocess.run(  # noqa: S603 - lines of our own page
            ["sh", "-ec", line],  # noqa: S607
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{line}: {done.stderr}"
