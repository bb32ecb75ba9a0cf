"""How many threads a training computes on. torch is imported inside."""


def use(count: int) -> None:
    """Afterwards torch computes on so many threads in this process."""
    import torch

    torch.set_num_threads(count)
