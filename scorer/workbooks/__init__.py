"""Result workbooks in the official layout: read, written, and ranked by the official program's own rules."""
