"""Pictures: pure functions from values to SVG, with classes of drawing.css and no style of their own. Each has its numbers as a table."""
