"""Metrics of what happens behind the API: each class counts at a port, or looks at a part now and then.

Labels have few values, all of them ours: never an id, a path, a decline code, or a text of anyone else's.
"""
