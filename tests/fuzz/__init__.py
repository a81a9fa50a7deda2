"""Hostile input for every decoder of what comes from outside: led by coverage (`make fuzz`), and in short by pytest."""
