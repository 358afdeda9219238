"""What these tests have in common: logs are data, not lines on the terminal."""

import pytest
import structlog


@pytest.fixture(autouse=True)
def logged():
    with structlog.testing.capture_logs() as lines:
        yield lines
