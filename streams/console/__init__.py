"""The console: the live twin over HTTP, read-only, from within the twin worker."""
