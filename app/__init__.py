"""Strongbox: wallets and payments that can be trusted with money."""
