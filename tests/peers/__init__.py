"""Our rules for runs like those of other packages, against the packages themselves."""
