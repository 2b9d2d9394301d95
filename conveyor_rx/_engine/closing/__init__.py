"""What happens at the end of a run? Who waits for what, and who hears of what failed meanwhile."""
