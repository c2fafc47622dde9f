"""Serve a node: sockets, servers, programs, and the way from start to end."""
