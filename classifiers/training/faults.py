"""What can go wrong with a training."""


class TrainingError(ValueError):
    """Nothing can be trained from these labels, or not like that. The message says what is missing."""
