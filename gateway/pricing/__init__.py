"""What calls cost: prices, where newer ones come from, and what was used of what they count."""
