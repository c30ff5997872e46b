"""Schedules: when they run, which job they create, and what is printed of them, the same on the laptop and in Azure."""
