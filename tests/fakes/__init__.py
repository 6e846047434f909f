"""What stands in for the outside in fast tests. A fake of the books passes the suite that PostgreSQL passes."""
