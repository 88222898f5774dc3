"""Speed and quality beside peers. `make bench` runs them all and writes docs/benchmarks.md; each can be run by itself."""

from bot.unreported import report_nothing

report_nothing()  # the peers run the same libraries
