"""How fast the scheduler is, measured beside the cryptography it cannot do without."""
