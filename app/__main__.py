"""`python -m app` is `strongbox`."""

from app.main.cli import main

main(prog_name="strongbox")
