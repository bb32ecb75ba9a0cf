"""From candidate to service, past the gates that the plan in force sets, and one step back."""
