"""Statistics that resist self-deception: how much of a result is skill, how much is search, how much is luck."""
