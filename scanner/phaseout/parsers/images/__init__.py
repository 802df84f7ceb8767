"""Archives, partitions and file systems in images."""
