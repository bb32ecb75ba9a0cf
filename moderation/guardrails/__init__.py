"""What watches over automation: counts, control limits, alarms, a cap on blocks a day, and falling back to people."""
