"""Which call begins now, how is it made, and what becomes of its result?"""
