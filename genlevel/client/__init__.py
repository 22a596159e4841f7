"""The Python client: the services of this process or elsewhere, with typed results, sync and async."""
