"""Benchmarks: what an assignment costs beside what its cryptography alone costs."""
