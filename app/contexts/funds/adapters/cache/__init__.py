"""What is kept of wallets for a few seconds, for operators: no money is decided by it."""
