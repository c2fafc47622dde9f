"""Serve a node: sockets, servers, and the way from start to end."""
