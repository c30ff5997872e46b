"""What Azure ML's runner of parallel jobs offers to entry scripts, on the laptop."""
