"""Live streams of venues into raw files and the catalog: the only data that this machine stamps with its time."""
