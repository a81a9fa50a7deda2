"""Figures that anyone can measure again: each module is a command that names the machine it ran on."""
