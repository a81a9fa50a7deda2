"""Sends shortages on to pagers and chat systems over HTTP: at least once, and in order."""
