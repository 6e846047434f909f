"""The port of funds as a process of its own, for tests that have to kill whoever asks it.

`python -m tests.system.teller` listens at TELLER_PORT, with the settings of a service. A connection brings one question
and gets its answer, each a line of JSON (`counter` says which there are); `asking` asks.
"""
