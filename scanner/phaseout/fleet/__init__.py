"""Many hosts: their inventories are judged by several processes at once."""
