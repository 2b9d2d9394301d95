"""What is a user's function? Its kind, its parameters, its annotations, its name."""
