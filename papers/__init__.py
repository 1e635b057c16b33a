"""Papers: their sources, catalogue, topics, trends and search."""
