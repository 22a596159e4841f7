"""A request in its provider's form: messages, media, tools and parameters, checked and made ready."""
