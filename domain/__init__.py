"""The domain of a checkout: pure Python, without I/O, a clock or an id generator.

`decide.decide` turns a command and the current checkout into events and side rows, or a rejection.
`checkout.evolve` applies an event to a checkout; it is the only fold.
"""
