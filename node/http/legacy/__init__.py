"""The HTTP interface of the older scheduler units, as the routes of `routes/legacy.py` use it."""
