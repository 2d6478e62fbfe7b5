"""This node as a witness, its own witnesses, and logs that succeed lost ones."""
