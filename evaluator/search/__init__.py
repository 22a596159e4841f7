"""Finding answers of a run, on values alone: texts without case, what is right, blocks of answers, which of them match, pages.

``evaluator.journal.scored_table`` keeps the blocks; ``evaluator.runs`` makes them (``indexing``) and asks them (``searching``).
"""
