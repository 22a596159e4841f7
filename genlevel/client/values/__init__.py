"""What the client answers with: frozen values with units, made of the services' messages and documents in one place."""
