"""Named statements in .sql files."""

from __future__ import annotations

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
