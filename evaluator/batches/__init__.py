"""What a run asks in batches: filled, handed to the provider, looked at until they end, and collected. What is begun is stored before."""
