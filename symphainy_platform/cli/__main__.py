"""`python -m symphainy_platform.cli`: the same as `symphainy`."""

from symphainy_platform.cli import main

main()
