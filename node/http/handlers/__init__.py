"""What answers each key of the devices that this node speaks."""
