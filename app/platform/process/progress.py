"""Being told how far long work is."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Told what is under way, and how much of how much is done."""
HowFar = Callable[[int, int], None]
"""Told how much of how much is done, of the one thing that is under way."""
