"""Checks that a shape cannot make: what a file says compared with other files, and with itself."""
