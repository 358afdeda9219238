"""The statements of queries.sql by name."""

from __future__ import annotations

from pathlib import Path

from symphainy_platform.state.sql_files import parse_queries

SQL = parse_queries(Path(__file__).with_name("queries.sql").read_text("utf-8"))
"""Statement text by name."""
