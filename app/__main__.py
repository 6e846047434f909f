"""`python -m app` is `strongbox`."""

from app.platform.process.absent import do_without


def main() -> None:
    """The command line, in a process that loads what it uses."""
    do_without()
    from app.main.cli import main as command_line  # noqa: PLC0415 -- behind that

    command_line(prog_name="strongbox")


if __name__ == "__main__":
    main()
