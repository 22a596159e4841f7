"""Which account is asked: its address, its key, and what each cloud's client adds to a request."""
