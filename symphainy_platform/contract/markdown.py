"""Markdown, in the few forms that contract documents use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def bullets(lines: Iterable[str]) -> str:
    """A bullet list; `- None` for an empty one."""
    return "\n".join(f"- {line}" for line in lines) or "- None"


def numbered(lines: Iterable[str]) -> str:
    """A numbered list; `1. None` for an empty one."""
    return "\n".join(f"{number}. {line}" for number, line in enumerate(lines, start=1)) or "1. None"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table with closed rows; one row of `None` when there is none."""
    body = [tuple(cell.replace("|", "\\|").replace("\n", " ") for cell in row) for row in rows]
    body = body or [("None", *["-"] * (len(header) - 1))]
    ruler = ["-" * max(3, len(cell)) for cell in header]
    return "\n".join("| " + " | ".join(row) + " |" for row in (header, ruler, *body))


def flow(boxes: Iterable[tuple[str, Sequence[str]]]) -> str:
    """A flow diagram: one box per line, its details below it, arrows between."""
    drawn = ["\n".join([f"[{box}]", *(f"    - {detail}" for detail in details)]) for box, details in boxes]
    return "```\n" + "\n    ↓\n".join(drawn) + "\n```"


def duration(seconds: int) -> str:
    """Seconds in the largest unit that there are several whole ones of: 60 seconds, 24 hours, 7 days."""
    for size, unit in ((86_400, "days"), (3600, "hours"), (60, "minutes")):
        count, rest = divmod(seconds, size)
        if count > 1 and rest == 0:
            return f"{count} {unit}"
    return f"{seconds} seconds"
