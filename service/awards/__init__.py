"""Who has earned what, who decided it, and how an award ends.

By rule, by request or by approval: each decision is carried out here, once. It must not know where evidence
came from, how a badge is written (`issuing`), or what is contested (`appeals`).
"""
