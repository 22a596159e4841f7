"""What is said of runs, answers and monitors, for people and programs alike: JSON documents, and their words. Values in, values out."""
