"""`python -m bot` is `paring`."""

from bot.cli import main

main()
