"""One strategy with many sets of parameters: which sets, how they are run, where points are kept, what came of them."""
