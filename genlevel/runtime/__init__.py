"""What a service stands on: settings, gRPC, health, telemetry, storage, blobs, limits. Imports no service."""
