"""How does a stream come to its run? What it reads, who reads it, and what it does now."""
