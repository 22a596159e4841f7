"""Media of questions, answers and labels for a browser: their bytes by ranges, and what browsers cannot show made into what they can."""
