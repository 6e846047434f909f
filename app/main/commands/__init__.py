"""The commands of `strongbox`, a module for each group. A command imports what it uses when it is run."""
