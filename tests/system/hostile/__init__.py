"""Requests made up from the served OpenAPI document, valid ones and others, against the whole service: `make fuzz`."""
