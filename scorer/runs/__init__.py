"""A stored run: its verdict, certificate, instances, comparison with another, and Prometheus series."""
