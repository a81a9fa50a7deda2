"""What moves events: the Faust apps around the machines, senders, replay and alerts."""
