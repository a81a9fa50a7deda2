"""Where measurements come from: one module for each source, imported when it is chosen."""
