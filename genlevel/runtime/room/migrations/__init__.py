"""Steps of the schema of what the runtime itself keeps: leases."""
