"""What members do together that a badge can rest on.

They accept guidelines, meet expectations, set goals, say what they need, apply to calls and ask to join. It shows people
what their network asks of them, and posts as evidence what they answer. It must not decide what is earned.
"""
