"""`fleettwin demo`: the main job on real servers, watched live and checked against the oracle at its end."""
