"""What sources share."""
