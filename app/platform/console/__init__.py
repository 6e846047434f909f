"""The operators' console: pages made here, for a browser, over the use cases that the command line has as well."""
