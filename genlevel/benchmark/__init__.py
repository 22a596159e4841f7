"""What General-Bench is: tasks, references, metrics registry, dataset reader, instances. Imports no service."""
