"""Strongbox behind what its users run it on: several of each server, of which one falls."""
