"""What members do together that a badge can rest on: agreements, expectations, goals, needs and calls.

It shows people what their network asks of them, and posts as evidence what they answer. It must not decide what is
earned.
"""
