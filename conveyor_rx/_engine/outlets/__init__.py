"""How do results leave a run? It is pulled from, or it pushes."""
