"""Which labels are likely wrong, and what else is wrong with a data set, by its embeddings and labels alone."""
