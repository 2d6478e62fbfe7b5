"""A job process's end: sealed flows to its peers, frames in order, acknowledged and sent again."""
