"""`fleettwin log`: what a record log holds, whether it is whole, and others made of it."""
