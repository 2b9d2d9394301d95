"""How are stages linked up for one run? Segments, the picture of them, and what watches them."""
