"""Trainings as rows: asked for, worked off one at a time, watched while they run, stopped, and gone on with after a
kill."""
