"""How each version of the state came from the one before. Run by Alembic."""
