"""What a job leaves besides its model: evaluation, scores, tables of points, checkpoints, the report."""
