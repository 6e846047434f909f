"""The token's contract: compiled anew, and what it does on every chain that is at hand."""
