"""One entry: its closed vocabulary, the fields it may hold, and what is checked of it by itself."""
