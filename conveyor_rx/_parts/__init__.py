"""What can be joined by |?"""
