"""One task: from its instances' raw answers to a score."""
