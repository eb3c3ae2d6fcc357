"""What calls return: errors and their causes, result objects, inferred dtypes, batches of a million rows."""
