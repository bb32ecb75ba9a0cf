"""Concepts: a handful of examples from the archive, or a phrase, becomes a measured head that a plan may pin.

A concept is a classifier version of its own, `concept-NAME@N`, that scores one of the eighteen categories and is silent
below its threshold. Its precision and recall are measured before it can be switched on: on what people decided in that
category, on the examples themselves (each left out in turn), and, where people denied too little, on images of the
archive that are presumed harmless.
"""

from review.concepts.drafts import CannotLearn, Draft
from review.concepts.learning import learn
from review.concepts.switching import Switch, switch_off, switch_on

__all__ = ["CannotLearn", "Draft", "Switch", "learn", "switch_off", "switch_on"]
