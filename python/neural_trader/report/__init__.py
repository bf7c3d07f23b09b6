"""Statistics, pages and documents made from the outcome of a run. Nothing here knows how the run was made."""
