"""What crosses a topic and what a fleet is: pure data, no clock, no files, no servers."""
