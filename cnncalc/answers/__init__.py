"""What is answered, one question a file: a report becomes a table, or explanations."""
