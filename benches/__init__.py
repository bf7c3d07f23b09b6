"""Speed, measured beside others: `python -m benches` from the root of the repository."""
