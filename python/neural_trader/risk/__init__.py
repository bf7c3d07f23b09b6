"""Portfolio and risk analytics on arrays of past returns: what could be lost, and how much to hold of what.

Returns are arrays of periods by instruments, the oldest row first; weights are fractions of equity, one per instrument.
Everything here is a pure function, so a strategy can use it in ``on_moment`` with the returns that it has seen.
"""
