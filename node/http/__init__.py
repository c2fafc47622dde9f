"""The HTTP interface of a node: requests in, messages through, replies out."""
