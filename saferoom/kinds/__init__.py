"""What a kind of task is, and what anybody can learn in a job; what its processes do stands in `tasks`."""
