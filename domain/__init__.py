"""What a checkout is and what may happen to it: pure Python, no I/O, no clock, no id generator.

`commands` may be asked, `decisions.decide` answers with `events` or a rejection, and
`checkout.evolve` is the one fold that says what the events mean.
"""
