"""What happened in a network, in order, and mail that waits to be sent.

Rows are added in the transaction of the thing that happened. It must not know who listens, how events are sent, or
what a mail says.
"""
