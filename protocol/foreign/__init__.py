"""Replies of other schedulers, read into values; nothing in them is believed yet."""
