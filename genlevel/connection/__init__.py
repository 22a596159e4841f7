"""Where commands, pages and the client find the services: over gRPC at their addresses, or in this process over a data folder."""
