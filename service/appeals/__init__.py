"""What members contest: cases, their mediators, deadlines and outcomes.

Only the parties and the mediator see what is said in a case. The package calls `awards` to carry out an outcome, and
must not know how events and mail reach people.
"""
