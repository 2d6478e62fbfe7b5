"""What the processes of each kind of task do, party and helper, and the models that they leave."""
