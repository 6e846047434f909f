"""The gateway of the contract, with failures on demand.

Run it with `python -m mock_gateway`. It stands alone: it imports nothing of the service that it tests.
"""
