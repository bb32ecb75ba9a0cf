"""Named queues: which request goes where, until when it is due there, and who may work on it."""
