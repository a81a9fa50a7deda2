"""`fleettwin replay`: a log again, through Kafka or in one process."""
