"""Rows of `participation`: expectations, goals, needs and calls for participants."""

# expectations

# goals

# needs

# calls
