"""How a result came about, on one page, for readers of a report who do not know genlevel."""

METHODS = (
    "What is measured. General-Bench (ICML 2025, arXiv 2505.04620) is 699 published tasks in text, image, video, audio and "
    "3D, of comprehension and of generation, each with a metric and, for most, the published score of a specialist: the "
    "best model that was made for that task alone. Another suite is a benchmark of its own, without published specialists "
    "unless it names some.",
    "Scores. Each instance is asked once unless repeats are said. What a model refuses, and an answer that cannot be read, "
    "count as wrong. What failed for technical reasons or was not asked yet counts as neither: the task then has bounds "
    "instead of a score. Sigma maps a score to 0–100, higher is better. ± s.e. is the standard error, clustered if "
    "instances share a picture or a text.",
    "Levels (the paper's rule). Level 2 is the mean sigma, half comprehension and half generation, over all tasks of the "
    "benchmark, also those that were not asked, which count as 0. Level 3 counts only tasks whose score is at least the "
    "specialist's (a win, read as evidence of synergy). Level 4 is the harmonic mean of won comprehension and won "
    "generation. Level 5 multiplies it by how far language tasks are won. The highest level with a score above 0 is "
    "reached.",
    "Why there is a certified verdict. The paper's rule takes every score as the truth. Among 699 tasks chance alone wins "
    "somewhere. The certified verdict bounds that: with probability at least 1 – alpha none of the certified wins, none of "
    "the levels that are said to be attained and none that are said not to be attained is false, for all tries of the model "
    "that this storage knows of together.",
    "Two readings. Above the published score: the model's true score is above the number that was published. Against "
    "specialists: it is above the specialist's own true score, of which the published number is a measurement with an error "
    "of its own. Only the second says that a specialist is beaten.",
    "Tests. A win is tested by an exact or finite-sample test of its metric (binomial, betting on bounded scores, and their "
    "forms for clusters), corrected over all tasks by Holm's method. Levels are read off certified wins. An undecided level "
    "says how many more instances would decide it, as far as that is known.",
    "Guessing. Of tasks with choices or labels, the score of a uniform guess and of the best constant answer are computed "
    "from the questions; a certified win has to be above the latter, too.",
    "Comparisons of two runs are paired: on the instances that both have answered or refused, with intervals by a cluster "
    "bootstrap, exact McNemar or sign-flip tests, and Holm's correction over tasks.",
    "What this cannot say: whether the questions were in the model's training data, whether the specialist's figure was "
    "measured on the same instances, and how the model does on anything else.",
)
"""A paragraph each."""
