"""Versions held against each other on the same labels: figures with intervals, curves, slices. numpy only."""
