from pathlib import Path

from symphainy_platform.cli.commands_page import commands_page


def test_every_command_is_documented():
    page = Path(__file__).parents[2] / "docs" / "commands.md"
    assert page.read_text("utf-8") == commands_page(), (
        "run: python -m symphainy_platform.cli.commands_page > docs/commands.md"
    )
