"""Cases: what members contest, and their disagreements, before a mediator.

Only the parties and the mediator see what is said in a case. The package calls `awards` to carry out an outcome, and to
have new awards wait; it must not know how events and mail reach people.
"""
