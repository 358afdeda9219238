"""The services of the realm."""
