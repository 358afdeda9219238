"""The pytest plugin: `pytest --contracts` runs the compliance suite."""
