"""Pages: runs, cards, answers, comparisons and monitors in a browser, drawn on the server over the same ports as commands."""
