"""Artifacts, lifecycles, staged writes, and the port that every store implements."""
