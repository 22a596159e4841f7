"""One file a page: from what the services say to the values of its template."""
