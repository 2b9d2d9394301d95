"""What do type checkers see of tasks?"""
