"""A chain of one's own, for a run on one machine and for tests: a node that speaks JSON-RPC, with one account's money.

It stands in for the outside and alone: nothing that serves knows it, and it knows nothing of what serves.
"""
