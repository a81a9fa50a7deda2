"""`fleettwin publish`: what real machines measure, sent as readings."""
