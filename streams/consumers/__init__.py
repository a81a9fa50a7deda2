"""What follows the twin's outputs as any consumer would."""
