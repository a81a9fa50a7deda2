"""Publishers: what real machines measure, sent as readings. Each source is an extra of its own."""
