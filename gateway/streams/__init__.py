"""Answers that come in pieces: each API's cut of a stream into events (framings), and the body that these events amount to (assemblers).

Every rule of reading an answer stays in its adapter's ``answer``, which reads that body. Nothing here knows a connection.
"""
