"""Two plans beside each other on the same traffic, compared so that one may look at any time."""
