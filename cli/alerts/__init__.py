"""`fleettwin alerts`: shortages for people and programs, here and over HTTP."""
