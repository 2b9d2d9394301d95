"""How does a function become a stage?"""
