"""The batch worker: claim waiting rows, look at each image once, run each model once a batch, route, write in bulk."""

from moderation.triage.batch import Report, run_once, work_off

__all__ = ["Report", "run_once", "work_off"]
