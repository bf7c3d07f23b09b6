"""Rules of the house that no compiler knows, each next to its reason."""
