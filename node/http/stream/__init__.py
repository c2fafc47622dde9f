"""Schedules as event streams: what is stored arrives at those who listen."""
