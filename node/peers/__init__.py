"""Everything that this node asks of other servers."""
