"""What the contestants run; each stands alone, and is told what to read and where to tell by its environment."""
