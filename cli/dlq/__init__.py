"""`fleettwin dlq`: what was refused, and how it is sent again."""
