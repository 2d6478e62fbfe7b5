"""What people can ask of a node on its own machine: the verbs of the administration socket."""
