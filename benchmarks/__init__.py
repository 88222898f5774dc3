"""Speed and quality beside peers. `make bench` runs them all and writes docs/benchmarks.md; each can be run by itself."""
