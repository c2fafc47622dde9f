"""Codecs: how messages and assignments are bytes, what of them is signed, and how it is checked."""
