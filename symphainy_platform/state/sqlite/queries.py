"""The statements of queries.sql by name."""

from __future__ import annotations

from pathlib import Path

_HEADINGS = ("-- name: ", "-- part: ")


def parse_queries(text: str) -> dict[str, str]:
    """Split SQL text at its headings and put the parts into the statements that include them."""
    pieces: dict[str, dict[str, list[str]]] = {heading: {} for heading in _HEADINGS}
    lines: list[str] = []
    for line in text.splitlines():
        heading = next((known for known in _HEADINGS if line.startswith(known)), None)
        if heading:
            lines = pieces[heading].setdefault(line.removeprefix(heading).strip(), [])
        elif not line.startswith("--"):
            lines.append(line.strip())
    parts, statements = (
        {name: " ".join(body).strip() for name, body in pieces[known].items()} for known in ("-- part: ", "-- name: ")
    )
    return {name: body.format_map(parts) for name, body in statements.items()}


SQL = parse_queries(Path(__file__).with_name("queries.sql").read_text("utf-8"))
"""Statement text by name."""
