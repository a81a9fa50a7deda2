"""Dead letters: found, shown, and sent again."""
