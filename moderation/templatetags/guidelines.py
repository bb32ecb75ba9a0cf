"""Texts of guidelines on pages."""

from __future__ import annotations

from django import template

from moderation.guidelines.markdown import render

register = template.Library()
register.filter("markdown", render)
