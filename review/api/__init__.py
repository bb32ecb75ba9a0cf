"""Claiming and deciding over HTTP."""
