"""Stand-in for a dokku 0.38 host: what its core plugins answer and do, from the same files as the real ones."""
