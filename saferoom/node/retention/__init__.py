"""What jobs left on this node: until when it is kept, and how it is destroyed."""
