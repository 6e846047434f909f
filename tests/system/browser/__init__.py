"""The operators' console in a real browser, over everything real."""
