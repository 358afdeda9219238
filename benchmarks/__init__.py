"""Benchmarks: ratios from one run, each side measured in turns with the other (`make bench`)."""
