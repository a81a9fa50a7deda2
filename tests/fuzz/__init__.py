"""Hostile input for every decoder of what comes from outside: guided by coverage (`make fuzz`), and in short by pytest."""
