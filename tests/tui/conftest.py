"""The pieces that the tests of screens have too."""

from tests.screens.conftest import still_clock

__all__ = ["still_clock"]
