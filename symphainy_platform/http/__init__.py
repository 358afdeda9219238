"""The HTTP edge: translates requests to calls of `Platform`, and answers back."""

from symphainy_platform.http.app import create_app

__all__ = ["create_app"]
