"""The program: what runs the scheduler for people and machines outside."""
