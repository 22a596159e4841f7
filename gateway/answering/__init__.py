"""What a provider's reply means: an answer, whole or as a stream or later, or a failure of a known class."""
