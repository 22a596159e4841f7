"""Steps of the evaluator's schema."""
