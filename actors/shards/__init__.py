"""Shards: parts of one store, each in a program of its own, and the way to them."""
