"""AMD's accelerators, asked through AMD SMI."""
