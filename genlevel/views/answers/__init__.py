"""What a page shows of single answers: texts of models made calm, JSON of any depth, and what answer types draw. Values in, values out."""
