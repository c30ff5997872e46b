"""A model's way from one environment to another: a gate on its metrics, a checked copy, a record, and the way back."""
