"""Steps that tasks are made of: read rows, align, bin, regress, select, sum leaves, rank reasons, score."""
