"""How fast `derive` is, beside what else is fast in the same run: `python -m benchmarks` from the clone."""
