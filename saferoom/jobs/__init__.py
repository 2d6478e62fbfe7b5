"""What every job works with, whatever its task: context, phases, problems, and where a node keeps things."""
