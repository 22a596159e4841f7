"""One call in, one normalised answer out: routes, adapters, errors, media, prices. Never retries."""
