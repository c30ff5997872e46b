"""What more than one step of the image-scoring workload needs: decoding, folders, models, tracking."""
