"""What a service stands on: settings, gRPC, health, telemetry, storage, blobs, limits. Imports no service."""

import os

# gRPC writes a line of its own on standard error for each handshake that fails, which any stranger can make it do. What matters of them is
# told to whoever calls. It looks at this when it is first imported.
os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
