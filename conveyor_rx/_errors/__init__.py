"""What does an exception tell, of where it arose, and to whom?"""
